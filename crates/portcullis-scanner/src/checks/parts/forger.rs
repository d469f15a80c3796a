//! A key pair of the forger's own. It is public on purpose: whoever trusts it has trusted a key out of the token itself.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::jwt::unsigned;

/// RSA, 2048 bits, fixed, so that one seed gives one scan.
const PRIVATE: &[u8] = include_bytes!("forger.pkcs8.der");
/// Its modulus.
const MODULUS: &str = "pkh0w_R49tgSEP5WvZplangU3eKrAOSOGap0oLutlNu9Ydrj-sR8ySdfokChGkBlLgg8QnOQff587m42p94vkEP8XdOkO5skZnl2_NOAxk6J9o30GarXUrUF_uGOC9wzU4XeRNuNeIngcxfmK4y53lG4NlGUDcaXmHFAptTBOHVTUSRHve4f6-8p27ThhiozVqaFsWgXjo8BdaJeqjQ30f8vh1bOPFfgIzKOabkeka_vvuxdQWU5E4WvdYYX7w3TnNegEjnUVqMrzKg190qI2hL7jON2wih6M5YLKNSfsA3rWgIy-YbrthGRIyxyRMhEVP6M126vvoB_8k4wR6yu1w";

/// The public half as a JWK (RFC 7517).
pub fn public(kid: &str) -> Value {
    json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": MODULUS, "e": "AQAB"})
}

/// A token signed with it, RS256.
pub fn sign(header: &Map<String, Value>, claims: &Map<String, Value>) -> Option<String> {
    let key = RsaKeyPair::from_pkcs8(PRIVATE).ok()?;
    let signed = unsigned(header, claims);
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

    use super::*;
    use crate::checks::parts::jwt::Token;

    #[test]
    fn its_public_half_verifies_what_it_signs() {
        let header = public("x").as_object().cloned().unwrap();
        let token = Token::parse(&sign(&header, &Map::new()).unwrap()).unwrap();
        let n = URL_SAFE_NO_PAD.decode(MODULUS).unwrap();
        let key = RsaPublicKeyComponents { n: &n, e: &vec![1, 0, 1] };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, token.signed.as_bytes(), &token.signature).unwrap();
    }
}
