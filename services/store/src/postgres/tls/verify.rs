//! Checking the server's certificate as much as the mode asks for, and no more.

use super::{Check, PostgresError};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// The usual check, or less.
#[derive(Debug)]
pub(super) struct Lenient {
    /// With nothing to check there is none.
    usual: Option<Arc<WebPkiServerVerifier>>,
    for_any_name: bool,
    provider: Arc<CryptoProvider>,
}

impl Lenient {
    pub(super) fn new(
        check: Check,
        roots: RootCertStore,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, PostgresError> {
        let usual = match check {
            Check::Nothing => None,
            Check::Authority | Check::Name => {
                let builder =
                    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
                Some(builder.build().map_err(|e| PostgresError::Tls(e.to_string()))?)
            }
        };
        Ok(Self { usual, for_any_name: check != Check::Name, provider })
    }
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(usual) = &self.usual else { return Ok(ServerCertVerified::assertion()) };
        use CertificateError::{NotValidForName, NotValidForNameContext};
        match usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name comes last: all else was good.
            Err(Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }))
                if self.for_any_name =>
            {
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
