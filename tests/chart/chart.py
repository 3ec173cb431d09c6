"""The chart, rendered by Helm itself, and the values it is rendered with."""

import functools
import json
import pickle
import tempfile
import tomllib
from pathlib import Path

import helm_python as helm
import yaml

from additions import ADDITIONS, BALANCERS, DROP, SCRAPERS

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "frontdesk"
EXAMPLES = CHART / "examples"
NAMESPACE = "chat"
#: In C where there is one.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
ROLES = ["presence", "sessions", "queueing", "routing", "desk", "gateway"]

#: The least that a release needs.
LEAST = {
    "tokenKeys": {"existingSecret": {"name": "keys"}},
    "postgres": {"existingSecret": {"name": "pg"}},
    "redis": {"existingSecret": {"name": "redis"}},
}


def merged(*values):
    """Later ones win, maps are merged: as Helm does with several files."""
    result = {}
    for value in values:
        for key, item in value.items():
            both = isinstance(item, dict) and isinstance(result.get(key), dict)
            result[key] = merged(result[key], item) if both else item
    return result


def example(*names):
    return merged(*(parsed((EXAMPLES / f"{name}.yaml").read_text())[0] for name in names))


def least(**values):
    return merged(LEAST, values)


def cases():
    """Every way of using the chart that has templates of its own, by name."""
    ingress = {"enabled": True, "hosts": ["chat.example.com"], "className": "some"}
    everything = {kind: {"enabled": True} for kind in ("serviceMonitor", "rules", "dashboards")}
    found = {
        "least": least(),
        "small": example("small"),
        "production": example("production"),
        "multi-zone": example("production", "multi-zone"),
        "addresses": merged(
            least(postgres={"url": "postgresql://u@db/f", "existingSecret": {"name": ""}}),
            {"redis": {"address": "redis://r", "existingSecret": {"name": ""}}},
        ),
        "own certificates": least(internalTls={"mode": "existingSecret", "existingSecret": "tls"}),
        "no certificates": least(internalTls={"mode": "none"}),
        "another issuer": least(
            internalTls={"certManager": {"issuerRef": {"name": "ca", "kind": "ClusterIssuer"}}}
        ),
        "public certificate": least(
            gateway={"tls": {"enabled": True, "existingSecret": "web"}},
            routes={
                "gatewayApi": {
                    "enabled": True,
                    "parentRefs": [{"name": "public"}],
                    "backendTls": {"hostname": "chat.example.com", "caConfigMap": "corporate-ca"},
                }
            },
            loadtest={"enabled": True},
        ),
        "public issuer": least(
            gateway={
                "tls": {
                    "enabled": True,
                    "certManager": {
                        "issuerRef": {"name": "acme", "kind": "ClusterIssuer"},
                        "dnsNames": ["chat.example.com"],
                    },
                },
                "service": {
                    "type": "LoadBalancer",
                    "externalTrafficPolicy": "Local",
                    "ipFamilyPolicy": "PreferDualStack",
                    "loadBalancerClass": "example.com/internal",
                    "loadBalancerSourceRanges": ["10.0.0.0/8"],
                },
            },
            routes={"gatewayApi": {"enabled": True, "parentRefs": [{"name": "public"}]}},
            loadtest={"enabled": True},
        ),
        "hpa": least(gateway={"autoscaling": {"kind": "hpa"}}),
        "keda": least(
            gateway={
                "autoscaling": {
                    "kind": "keda",
                    "keda": {
                        "prometheusAddress": "http://p",
                        "authenticationRef": {"name": "prometheus"},
                        "triggerMetadata": {"authModes": "bearer"},
                    },
                }
            }
        ),
        "routes": least(
            routes={
                "demo": True,
                "gatewayApi": {
                    "enabled": True,
                    "parentRefs": [{"name": "public"}],
                    "grpcHostnames": ["grpc.example.com"],
                },
            }
        ),
        "metrics": least(
            monitoring=merged(
                everything,
                {
                    "adminToken": {"existingSecret": {"name": "admin"}},
                    "serviceMonitor": {"metricRelabelings": [DROP]},
                },
            ),
            loadtest={"enabled": True},
        ),
        "no policies": least(networkPolicy={"enabled": False}),
        "clients from": least(
            networkPolicy={
                "clientsFrom": [{"namespaceSelector": {"matchLabels": {"name": "proxy"}}}],
                "egress": {"enabled": False},
            }
        ),
        "one voter": least(presence={"replicas": 1, "initialVoters": 1}),
        "five voters, founded by three": least(presence={"replicas": 5}),
        "one voter left of three": least(presence={"replicas": 1}),
        "nothing for the whole cluster": least(
            presence={"scaleGuard": {"enabled": False}, "voterHooks": {"enabled": False}},
            tests={"enabled": False},
        ),
        "IPv6": least(ipFamily="IPv6", clusterDomain="example.internal"),
        "other ports": least(ports={"clients": 18080, "peers": 17100, "health": 19090}),
        "digest": least(image={"digest": "sha256:" + "a" * 64, "pullSecrets": [{"name": "p"}]}),
        "scheduling": least(
            **{
                role: {
                    "nodeSelector": {"disk": "fast"},
                    "tolerations": [{"key": "chat", "operator": "Exists"}],
                    "affinity": {"nodeAffinity": {}},
                    "priorityClassName": "high",
                    "podLabels": {"team": "support"},
                    "podAnnotations": {"note": "x"},
                    "extraEnv": [{"name": "TZ", "value": "UTC"}],
                }
                for role in ROLES
            }
        ),
        "additions": least(
            commonLabels={"cost-centre": "17"},
            serviceAccount={"create": False, "name": "theirs"},
            runAs={"user": None, "group": None, "fsGroup": None},
            hostUsers=False,
            jobs={
                "priorityClassName": "low",
                "nodeSelector": {"pool": "batch"},
                "tolerations": [{"key": "batch", "operator": "Exists"}],
                "podLabels": {"sidecar.istio.io/inject": "false"},
                "podAnnotations": {"note": "once"},
            },
            loadtest={"enabled": True},
            extraObjects=[
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "of-theirs"}},
                'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "as-text-{{ .Release.Revision }}"}',
            ],
            **{role: ADDITIONS for role in ROLES},
        ),
        "load": least(loadtest={"enabled": True, "resultsClaim": "results", "seed": 7}),
        "names": least(nameOverride="chat", fullnameOverride="support-chat"),
        "all settings": least(settings=ALL_SETTINGS),
        "engines with certificates": least(
            postgres={"tlsSecret": {"name": "pg-ca"}},
            redis={"tlsSecret": {"name": "redis-tls", "clientCertificate": True}},
        ),
        "object store": least(
            attachments={"s3": {"existingSecret": {"name": "s3"}, "caSecret": {"name": "s3-ca"}}},
            settings={"attachments": {"s3": {"bucket": "files", "endpoint": "https://store.internal"}}},
            networkPolicy={"egress": {"filesPorts": [9000]}},
        ),
        "provider": least(
            oidc={"existingSecret": {"name": "oidc"}, "caSecret": {"name": "corporate-ca"}},
            settings={"gateway": {"oidc": ALL_SETTINGS["gateway"]["oidc"]}},
        ),
    }
    for controller in ["nginx", "haproxy", "traefik", "alb", "other"]:
        found[f"ingress {controller}"] = least(
            routes={"ingress": {**ingress, "controller": controller}},
            networkPolicy={"metricsFrom": SCRAPERS + BALANCERS * (controller == "alb")},
        )
    return found


#: Each setting that the values may carry, other than its default.
ALL_SETTINGS = {
    "telemetry": {
        "traces": {
            "endpoint": "http://collector:4317",
            "ratio": 0.25,
            "incoming": False,
            "queue_spans": 1024,
        },
    },
    "cluster": {"drain_seconds": 20, "node_ttl_seconds": 4},
    "postgres": {
        "append_connections": 5,
        "other_connections": 6,
        "connect_timeout_seconds": 7,
        "statement_timeout_ms": 8000,
    },
    "redis": {
        "username": "chat",
        "channel_prefix": "support",
        "probe_interval_ms": 900,
        "probe_deadline_ms": 2500,
        "connect_timeout_ms": 1500,
        "publish_timeout_ms": 800,
        "reconnect_pause_ms": 4000,
    },
    "attachments": {
        "s3": {
            "endpoint": "http://store.internal:9000",
            "region": "eu-central-1",
            "bucket": "frontdesk-files",
            "prefix": "support/eu",
            "path_style": False,
            "allow_http": True,
        },
    },
    "gateway": {
        "visitor_token_hours": 12,
        "agent_token_hours": 6,
        "ping_interval_seconds": 20,
        "hello_timeout_seconds": 4,
        "max_connections_per_address": 500,
        "max_connections_per_person": 10,
        "max_connections_per_site": 1000000,
        "handshakes_per_second": 800,
        "handshake_burst": 4000,
        "requests_per_second": 10,
        "request_burst": 30,
        "sign_in_attempts_per_minute": 5,
        "attachment_max_bytes": 1048576,
        "drain_jitter_ms": 500,
        "oidc": {
            "issuer": "https://login.example/realms/support",
            "client_id": "frontdesk",
            "public_origin": "https://chat.example",
            "label": "Example",
            "scopes": ["openid", "email", "groups"],
            "email_claim": "mail",
            "name_claim": "display_name",
            "allowed_domains": ["example.com"],
            "create_accounts": True,
            "passwords_only_for": ["root@example.com"],
            "grants": [
                {"site": "shop", "role": "supervisor", "claim": "groups", "values": ["leads"]},
                {"site": "shop"},
            ],
        },
    },
    "sessions": {
        "mailbox_commands": 512,
        "inflight_appends": 32,
        "idle_seconds": 60,
        "live_per_shard": 2048,
        "snapshot_events": 100,
        "attempts": 4,
    },
    "queueing": {"groups": 8, "reconcile_secs": 20},
    "routing": {"reconcile_secs": 30},
    "desk": {
        "sign_ins_at_once": 3,
        "sign_ins_waiting": 32,
        "cache_for": 4000,
        "password_cost": {"memory_kib": 32768, "passes": 3},
    },
}


@functools.cache
def loaded():
    return helm.Chart.load(str(CHART))


@functools.cache
def rendered_once(text, name, options):
    values = json.loads(text)
    return loaded().render(values, name=name, namespace=NAMESPACE, **dict(options))


def rendered(values, name="fd", **options):
    """The files that Helm renders, by template."""
    text = json.dumps(values, sort_keys=True)
    return rendered_once(text, name, tuple(sorted(options.items())))


def objects(values, name="fd", **options):
    found = []
    for path, text in rendered(values, name, **options).items():
        if not path.endswith("NOTES.txt"):
            found += parsed(text)
    return found


def loaded_objects(values, name, namespace):
    """As `objects`, for another namespace."""
    files = loaded().render(values, name=name, namespace=namespace)
    return [one for path, text in files.items() if not path.endswith(".txt") for one in parsed(text)]


@functools.cache
def documents(text):
    return pickle.dumps([one for one in yaml.load_all(text, Loader=LOADER) if one])


def parsed(text):
    # Anew each time, as tests may change what they are given.
    return pickle.loads(documents(text))


def in_every_case(test):
    """Gives a test each case's values and objects in turn."""

    @functools.wraps(test)
    def run(self):
        for name, values in cases().items():
            with self.subTest(case=name):
                test(self, values, objects(values))

    return run


def refusal(values):
    """What Helm says instead of rendering; fails when it renders."""
    try:
        rendered(values)
    except helm.HelmError as error:
        return str(error)
    raise AssertionError(f"this was rendered: {values}")


def of(found, kind, name=None):
    """The objects of a kind; or the only one with this name behind the release's."""
    some = [one for one in found if one["kind"] == kind]
    if name is None:
        return some
    some = [one for one in some if one["metadata"]["name"].endswith(name)]
    assert len(some) == 1, f"{len(some)} of {kind} {name}"
    return some[0]


def pod_template(one):
    """Metadata and spec of the pods that an object makes; `None` when it makes none."""
    if one["kind"] == "Pod":
        return one
    if one["kind"] in ("Deployment", "StatefulSet", "Job"):
        return one["spec"]["template"]
    return None


def labels_of(template):
    return template["metadata"].get("labels", {})


def selects(selector, labels):
    """Whether a selector (with `matchLabels` and `matchExpressions`) matches."""
    by_label = all(labels.get(k) == v for k, v in selector.get("matchLabels", {}).items())
    by_expression = all(
        {"In": labels.get(e["key"]) in e.get("values", []), "Exists": e["key"] in labels}[e["operator"]]
        for e in selector.get("matchExpressions", [])
    )
    return by_label and by_expression


def workloads(found):
    """What runs for as long as the release: by role, engines for a try-out besides."""
    some = of(found, "Deployment") + of(found, "StatefulSet")
    return {one["metadata"]["labels"]["app.kubernetes.io/component"]: one for one in some}


def containers(template):
    spec = template["spec"]
    return spec.get("initContainers", []) + spec["containers"]


def settings_text(found):
    return of(found, "ConfigMap", "-settings")["data"]["cluster.toml"]


def settings(found):
    return tomllib.loads(settings_text(found))


def temporary(text, suffix):
    file = tempfile.NamedTemporaryFile("w", suffix=suffix, delete=False)
    file.write(text)
    file.close()
    return Path(file.name)
