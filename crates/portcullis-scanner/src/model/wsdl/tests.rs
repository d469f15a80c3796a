//! Services described in WSDL become operations.

use portcullis_spec::openapi::MemorySource;
use serde_json::json;

use super::*;

pub(crate) const SHOP: &str = r#"<?xml version="1.0"?>
<wsdl:definitions name="Shop" targetNamespace="urn:shop" xmlns:tns="urn:shop" xmlns:t="urn:types"
    xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <wsdl:types>
    <xs:schema targetNamespace="urn:types" elementFormDefault="qualified">
      <xs:include schemaLocation="more.xsd"/>
      <xs:element name="GetOrder"><xs:complexType><xs:sequence>
        <xs:element name="id" type="xs:int"/><xs:element name="note" type="xs:string" minOccurs="0"/>
      </xs:sequence></xs:complexType></xs:element>
      <xs:element name="GetOrderResponse"><xs:complexType><xs:sequence>
        <xs:element name="order" type="t:Order" nillable="true"/>
      </xs:sequence></xs:complexType></xs:element>
      <xs:complexType name="Order"><xs:complexContent><xs:extension base="t:Base"><xs:sequence>
        <xs:element name="line" type="t:Line" minOccurs="0" maxOccurs="unbounded"/>
        <xs:element name="parent" type="t:Order" minOccurs="0"/>
        <xs:choice><xs:element name="card" type="xs:string"/><xs:element name="cash" type="xs:boolean"/></xs:choice>
      </xs:sequence><xs:attribute name="state" type="t:State" use="required"/></xs:extension></xs:complexContent></xs:complexType>
      <xs:simpleType name="State"><xs:restriction base="xs:string"><xs:enumeration value="open"/><xs:enumeration value="shut"/></xs:restriction></xs:simpleType>
    </xs:schema>
  </wsdl:types>
  <wsdl:message name="GetIn"><wsdl:part name="body" element="t:GetOrder"/></wsdl:message>
  <wsdl:message name="GetOut"><wsdl:part name="body" element="t:GetOrderResponse"/></wsdl:message>
  <wsdl:message name="SumIn"><wsdl:part name="a" type="xs:int"/><wsdl:part name="b" type="xs:int"/></wsdl:message>
  <wsdl:message name="SumOut"><wsdl:part name="result" type="xs:int"/></wsdl:message>
  <wsdl:portType name="Shop">
    <wsdl:operation name="GetOrder"><wsdl:input message="tns:GetIn"/><wsdl:output message="tns:GetOut"/></wsdl:operation>
  </wsdl:portType>
  <wsdl:portType name="Sums">
    <wsdl:operation name="CreateSum"><wsdl:input message="tns:SumIn"/><wsdl:output message="tns:SumOut"/></wsdl:operation>
  </wsdl:portType>
  <wsdl:binding name="B11" type="tns:Shop"><soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="GetOrder"><soap:operation soapAction="urn:shop/GetOrder"/>
      <wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output></wsdl:operation>
  </wsdl:binding>
  <wsdl:binding name="B12" type="tns:Shop"><soap12:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="GetOrder"><soap12:operation soapAction="urn:shop/GetOrder"/>
      <wsdl:input><soap12:body use="literal"/></wsdl:input><wsdl:output><soap12:body use="literal"/></wsdl:output></wsdl:operation>
  </wsdl:binding>
  <wsdl:binding name="BR" type="tns:Sums"><soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
    <wsdl:operation name="CreateSum"><soap:operation soapAction=""/>
      <wsdl:input><soap:body use="literal" namespace="urn:sums"/></wsdl:input><wsdl:output><soap:body use="literal" namespace="urn:sums"/></wsdl:output></wsdl:operation>
  </wsdl:binding>
  <wsdl:service name="ShopService">
    <wsdl:port name="P11" binding="tns:B11"><soap:address location="http://shop.example:8080/soap"/></wsdl:port>
    <wsdl:port name="P12" binding="tns:B12"><soap12:address location="http://shop.example:8080/soap12"/></wsdl:port>
    <wsdl:port name="PR" binding="tns:BR"><soap:address location="/sums"/></wsdl:port>
    <wsdl:port name="PG" binding="tns:BG"><address location="/get"/></wsdl:port>
  </wsdl:service>
</wsdl:definitions>"#;

const MORE: &str = r#"<xs:schema targetNamespace="urn:types" elementFormDefault="qualified" xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:import schemaLocation="http://evil.example/x.xsd"/>
  <xs:complexType name="Base"><xs:sequence><xs:element name="id" type="xs:int"/></xs:sequence></xs:complexType>
  <xs:complexType name="Line"><xs:simpleContent><xs:extension base="xs:decimal"><xs:attribute name="unit" type="xs:string"/></xs:extension></xs:simpleContent></xs:complexType>
</xs:schema>"#;

pub(crate) fn shop() -> Model {
    from_wsdl("a/shop.wsdl", &MemorySource::default().with("a/shop.wsdl", SHOP).with("a/more.xsd", MORE))
        .unwrap()
}

#[test]
fn a_wsdl_becomes_operations() {
    let model = shop();
    let ids: Vec<(&str, Effect)> = model.operations.iter().map(|it| (&*it.id, it.effect)).collect();
    assert_eq!(ids, [("soap GetOrder", Effect::Reads), ("soap CreateSum", Effect::Creates)]);
    assert_eq!(
        (model.title.as_str(), model.servers.as_slice()),
        ("ShopService", &["http://shop.example:8080".to_owned()][..])
    );
    let get = &model.operations[0];
    assert_eq!(
        get.wire,
        Wire::Soap {
            path: "/soap".to_owned(),
            version: SoapVersion::V11,
            action: "urn:shop/GetOrder".to_owned(),
            element: "GetOrder".to_owned(),
            namespace: "urn:types".to_owned(),
        }
    );
    let schema = &get.body.as_ref().unwrap().schema;
    assert_eq!(schema["required"], json!(["id"]));
    assert_eq!(schema["properties"]["id"]["xml"], json!({"namespace": "urn:types"}));
    let order = &model.schemas["$defs"]["answer.Order"];
    let keys: Vec<&String> = order["properties"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["id", "line", "parent", "card", "cash", "@state"]);
    assert_eq!(order["properties"]["@state"], json!({"$ref": "#/$defs/answer.State"}));
    assert_eq!(model.schemas["$defs"]["answer.State"]["enum"], json!(["open", "shut"]));
    let sum = &model.operations[1];
    assert!(matches!(&sum.wire, Wire::Soap { element, namespace, path, .. }
        if element == "CreateSum" && namespace == "urn:sums" && path == "/sums"));
    assert_eq!(sum.body.as_ref().unwrap().schema["required"], json!(["a", "b"]));
    for text in ["only the first port is called", "is not fetched", "no SOAP port"] {
        assert!(model.notes.iter().any(|it| it.text.contains(text)), "{text}: {:?}", model.notes);
    }
}

#[test]
fn a_policy_with_a_token_is_a_scheme() {
    let secured =
        SHOP.replace("<wsdl:types>", "<p:Policy xmlns:p=\"urn:p\"><p:UsernameToken/></p:Policy><wsdl:types>");
    let model = from_wsdl("shop.wsdl", &MemorySource::default().with("shop.wsdl", secured)).unwrap();
    assert_eq!(model.schemes.get("UsernameToken"), Some(&Scheme::UsernameToken));
    assert_eq!(model.operations[0].security.as_ref().unwrap()[0][0].scheme, "UsernameToken");
    // The included file is missing: said, and the rest is read.
    assert!(model.notes.iter().any(|it| it.place == "more.xsd"), "{:?}", model.notes);
}

#[test]
fn what_is_no_wsdl_is_refused() {
    let bad = |text: &str| from_wsdl("a.wsdl", &MemorySource::default().with("a.wsdl", text)).unwrap_err();
    assert!(matches!(bad("<!DOCTYPE a []><a/>"), WsdlError::Xml { source: tree::TreeError::Doctype, .. }));
    assert!(matches!(bad("<a/>"), WsdlError::NoDefinitions(_)));
    assert!(matches!(
        bad("<definitions xmlns='http://schemas.xmlsoap.org/wsdl/'/>"),
        WsdlError::NoOperations
    ));
    assert!(matches!(from_wsdl("b.wsdl", &MemorySource::default()), Err(WsdlError::Unreadable { .. })));
}

#[test]
fn groups_that_name_each_other_end() {
    let groups: String = (0..30)
        .map(|at| format!("<xs:group name=\"g{at}\"><xs:sequence><xs:group ref=\"t:g{n}\"/><xs:group ref=\"t:g{n}\"/></xs:sequence></xs:group>", n = (at + 1) % 30))
        .collect();
    let text = SHOP
        .replace("<xs:include schemaLocation=\"more.xsd\"/>", &groups)
        .replace("<xs:element name=\"id\" type=\"xs:int\"/>", "<xs:group ref=\"t:g0\"/>");
    let model = from_wsdl("shop.wsdl", &MemorySource::default().with("shop.wsdl", text)).unwrap();
    assert_eq!(model.operations.len(), 2);
}
