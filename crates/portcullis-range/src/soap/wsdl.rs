//! The WSDL 1.1 document of the service.

use std::fmt::Write as _;

use crate::http::call::Cx;

/// Arguments of each operation: name and XSD type.
const ARGUMENTS: &[(&str, &[(&str, &str)])] = &[
    ("GetItem", &[("itemId", "int")]),
    ("FindItems", &[("category", "string")]),
    ("GetOrder", &[("orderId", "int")]),
    ("SetPrice", &[("itemId", "int"), ("price", "double")]),
    ("Approve", &[("note", "string")]),
];

const ANSWERS: &[(&str, &[(&str, &str)])] = &[
    ("GetItem", &[("name", "string"), ("price", "double")]),
    ("FindItems", &[("name", "string")]),
    ("GetOrder", &[("address", "string")]),
    ("SetPrice", &[("price", "double")]),
    ("Approve", &[("approval", "int")]),
];

fn parts(out: &mut String, name: &str, fields: &[(&str, &str)]) {
    let _ = write!(out, "<xs:element name=\"{name}\"><xs:complexType><xs:sequence>");
    for (field, kind) in fields {
        let many = if name == "FindItemsResponse" { " minOccurs=\"0\" maxOccurs=\"unbounded\"" } else { "" };
        let _ = write!(out, "<xs:element name=\"{field}\" type=\"xs:{kind}\"{many}/>");
    }
    out.push_str("</xs:sequence></xs:complexType></xs:element>");
}

/// Writes the document.
pub(super) fn document(cx: &Cx, namespace: &str, operations: &[(&str, bool)]) -> String {
    let server = cx.app.openapi.get().and_then(|it| it.pointer("/servers/0/url")).and_then(|it| it.as_str());
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><wsdl:definitions xmlns:wsdl=\"http://schemas.xmlsoap.org/wsdl/\" xmlns:soap=\"http://schemas.xmlsoap.org/wsdl/soap/\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xmlns:tns=\"{namespace}\" targetNamespace=\"{namespace}\" name=\"Warehouse\"><wsdl:types><xs:schema targetNamespace=\"{namespace}\" elementFormDefault=\"qualified\">"
    );
    for (name, fields) in ARGUMENTS {
        parts(&mut out, name, fields);
    }
    for (name, fields) in ANSWERS {
        parts(&mut out, &format!("{name}Response"), fields);
    }
    out.push_str("</xs:schema></wsdl:types>");
    for (name, _) in operations {
        let _ = write!(
            out,
            "<wsdl:message name=\"{name}Request\"><wsdl:part name=\"parameters\" element=\"tns:{name}\"/></wsdl:message><wsdl:message name=\"{name}Reply\"><wsdl:part name=\"parameters\" element=\"tns:{name}Response\"/></wsdl:message>"
        );
    }
    out.push_str("<wsdl:portType name=\"WarehousePort\">");
    for (name, secured) in operations {
        let note = if *secured {
            "<wsdl:documentation>Needs a WS-Security UsernameToken.</wsdl:documentation>"
        } else {
            ""
        };
        let _ = write!(
            out,
            "<wsdl:operation name=\"{name}\">{note}<wsdl:input message=\"tns:{name}Request\"/><wsdl:output message=\"tns:{name}Reply\"/></wsdl:operation>"
        );
    }
    out.push_str("</wsdl:portType><wsdl:binding name=\"WarehouseSoap\" type=\"tns:WarehousePort\"><soap:binding style=\"document\" transport=\"http://schemas.xmlsoap.org/soap/http\"/>");
    for (name, _) in operations {
        let _ = write!(
            out,
            "<wsdl:operation name=\"{name}\"><soap:operation soapAction=\"{namespace}/{name}\"/><wsdl:input><soap:body use=\"literal\"/></wsdl:input><wsdl:output><soap:body use=\"literal\"/></wsdl:output></wsdl:operation>"
        );
    }
    let _ = write!(
        out,
        "</wsdl:binding><wsdl:service name=\"Warehouse\"><wsdl:port name=\"WarehousePort\" binding=\"tns:WarehouseSoap\"><soap:address location=\"{}/soap/warehouse\"/></wsdl:port></wsdl:service></wsdl:definitions>",
        server.unwrap_or_default()
    );
    out
}
