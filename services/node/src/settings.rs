//! The effective settings: defaults, then the file, then `FRONTDESK_…`
//! variables (two underscores between section and key), then flags.

use crate::cli::{RoleArgs, SettingsArgs};
use crate::cluster::settings::ClusterSection;
use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use frontdesk_telemetry::{LogSettings, TelemetrySettings};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Variables that begin with `FRONTDESK_` and are no settings.
const NOT_SETTINGS: [&str; 3] = ["config", "password", "test_binary"];
/// Keys with one of these endings are never printed.
const SECRET_ENDINGS: [&str; 5] = ["secret", "password", "token", "url", "secret_access_key"];

/// Everything that can be set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Folder that holds all state.
    pub(crate) data: PathBuf,
    pub(crate) log: LogSettings,
    pub(crate) telemetry: TelemetrySettings,
    pub(crate) cluster: ClusterSection,
    pub(crate) postgres: frontdesk_store::postgres::PostgresSettings,
    pub(crate) redis: frontdesk_bus::RedisSettings,
    pub(crate) attachments: frontdesk_store::attachments::AttachmentsSettings,
    pub(crate) gateway: frontdesk_gateway::Settings,
    pub(crate) sessions: frontdesk_sessions::Settings,
    pub(crate) queueing: frontdesk_queueing::QueueingSettings,
    pub(crate) routing: frontdesk_routing::RoutingSettings,
    pub(crate) desk: frontdesk_desk::DeskSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            data: PathBuf::from("./data"),
            log: LogSettings::default(),
            telemetry: Default::default(),
            cluster: Default::default(),
            postgres: Default::default(),
            redis: Default::default(),
            attachments: Default::default(),
            gateway: Default::default(),
            sessions: Default::default(),
            queueing: Default::default(),
            routing: Default::default(),
            desk: Default::default(),
        }
    }
}

/// Why settings cannot be used; one line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    #[error("{0}")]
    Figment(Box<figment::Error>),
    #[error("{0}: no such file")]
    NoFile(String),
    #[error("cannot print: {0}")]
    Print(#[from] toml::ser::Error),
}

/// Reads and checks the settings.
pub(crate) fn load(args: &SettingsArgs) -> Result<Settings, SettingsError> {
    let mut figment = Figment::from(Serialized::defaults(Settings::default()));
    if let Some(file) = &args.config {
        if !file.is_file() {
            return Err(SettingsError::NoFile(file.display().to_string()));
        }
        figment = figment.merge(Toml::file_exact(file));
        // By itself, because what the next source replaces is not looked at later.
        extract(&figment)?;
    }
    let env = Env::prefixed("FRONTDESK_").ignore(&NOT_SETTINGS).split("__");
    let mut settings = extract(&figment.merge(env))?;
    if let Some(listen) = args.listen {
        settings.gateway.listen = listen;
    }
    if let Some(data) = &args.data {
        settings.data.clone_from(data);
    }
    if let Some(level) = &args.log {
        settings.log.level.clone_from(level);
    }
    Ok(settings)
}

/// Reads and checks the settings of one process of a cluster.
pub(crate) fn load_for_role(args: &RoleArgs) -> Result<Settings, SettingsError> {
    let mut settings = load(&args.settings)?;
    let section = &mut settings.cluster;
    if let Some(name) = &args.name {
        section.name.clone_from(name);
    }
    if let Some(listen) = args.internal_listen {
        section.listen = listen;
    }
    if let Some(advertise) = &args.advertise {
        section.advertise.clone_from(advertise);
    }
    section.health_listen = args.health_listen.or(section.health_listen);
    Ok(settings)
}

fn extract(figment: &Figment) -> Result<Settings, SettingsError> {
    figment.extract().map_err(|e| SettingsError::Figment(Box::new(e)))
}

/// Prints the settings as a settings file, secrets hidden.
pub(crate) fn print(settings: &Settings) -> Result<(), SettingsError> {
    let mut value = toml::Value::try_from(settings)?;
    hide_secrets(&mut value);
    print!("{}", toml::to_string_pretty(&value)?);
    Ok(())
}

fn hide_secrets(value: &mut toml::Value) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table.iter_mut() {
                if SECRET_ENDINGS.iter().any(|ending| key.ends_with(ending)) {
                    *value = toml::Value::String("(hidden)".into());
                } else {
                    hide_secrets(value);
                }
            }
        }
        toml::Value::Array(array) => array.iter_mut().for_each(hide_secrets),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_are() {
        let text = "[[gateway.keys]]\nkid = \"a\"\nsecret = \"xyz\"\n";
        let mut value: toml::Value = toml::from_str(text).unwrap();
        hide_secrets(&mut value);
        let printed = toml::to_string(&value).unwrap();
        assert!(!printed.contains("xyz") && printed.contains("kid"), "{printed}");

        let mut settings = Settings::default();
        settings.attachments.s3 = Some(frontdesk_store::s3::S3Settings {
            access_key_id: Some("shown".into()),
            secret_access_key: Some("xyz".into()),
            ..Default::default()
        });
        let mut value = toml::Value::try_from(&settings).unwrap();
        hide_secrets(&mut value);
        let printed = toml::to_string(&value).unwrap();
        assert!(!printed.contains("xyz") && printed.contains("shown"), "{printed}");
    }

    #[test]
    #[expect(clippy::result_large_err, reason = "the closure's signature is figment's")]
    fn later_sources_win_and_unknown_keys_are_refused() {
        figment::Jail::expect_with(|jail| {
            jail.create_file(
                "f.toml",
                "[gateway]\nlisten = \"127.0.0.1:1\"\n[log]\nlevel = \"warn\"\n",
            )?;
            jail.set_env("FRONTDESK_LOG__LEVEL", "debug");
            let args = SettingsArgs {
                config: Some("f.toml".into()),
                data: Some("elsewhere".into()),
                listen: None,
                log: None,
            };
            let settings = load(&args).map_err(|e| e.to_string())?;
            assert_eq!(settings.gateway.listen.port(), 1);
            assert_eq!(settings.log.level, "debug");
            assert_eq!(settings.data, PathBuf::from("elsewhere"));
            jail.set_env("FRONTDESK_LOG__LEVLE", "debug");
            let error = load(&args).unwrap_err().to_string();
            assert!(error.contains("levle"), "{error}");
            Ok(())
        });
    }

    #[test]
    #[expect(clippy::result_large_err, reason = "the closure's signature is figment's")]
    fn what_is_wrong_with_the_gateways_door_is_said_by_name() {
        figment::Jail::expect_with(|jail| {
            let args =
                SettingsArgs { config: Some("f.toml".into()), data: None, listen: None, log: None };
            let said = |text: &str| -> figment::error::Result<Result<Settings, String>> {
                jail.create_file("f.toml", &format!("[gateway]\n{text}\n"))?;
                Ok(load(&args).map_err(|e| e.to_string()))
            };
            let tls = said("tls = { cert = \"tls.crt\", key = \"tls.key\" }")?.unwrap();
            assert!(tls.gateway.tls.is_some());
            for (text, name) in [
                ("tls = { cert = \"tls.crt\" }", "`key`"),
                ("tls = { key = \"tls.key\" }", "`cert`"),
                ("trusted_proxies = [\"10.0.0.0/33\"]", "10.0.0.0/33"),
                ("trusted_proxies = [\"10.0.0.7/8\"]", "10.0.0.0/8"),
                ("trusted_proxies = [\"proxy.example\"]", "proxy.example"),
            ] {
                let error = said(text)?.unwrap_err();
                assert!(error.contains(name) && error.contains("gateway"), "{error}");
                assert!(!error.contains('\n'), "{error}");
            }
            let trusted = "trusted_proxies = [\"10.0.0.0/8\", \"2001:db8::1\"]";
            assert_eq!(said(trusted)?.unwrap().gateway.trusted_proxies.len(), 2);
            Ok(())
        });
    }
}
