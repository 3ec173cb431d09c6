"""Who reaches what: network policies as a network would apply them, and the ways in."""

import ipaddress
import json
import re
import unittest

import chart

#: Somebody in the cluster who has nothing to do with the release.
STRANGER = {"app": "other"}


#: What each ingress controller is told, behind its prefix, of gRPC or else HTTP.
CONTROLLERS = {
    "nginx": lambda grpc, tls: {
        "proxy-read-timeout": "3600",
        "proxy-send-timeout": "3600",
        "proxy-body-size": "10485760",
        "backend-protocol": ("GRPC" if grpc else "HTTP") + "S" * tls,
    },
    "haproxy": lambda grpc, tls: {
        "timeout-tunnel": "3600s",
        "timeout-server": "3600s",
        **({"server-proto": "h2"} if grpc else {}),
        **({"server-ssl": "true"} if tls else {}),
    },
    "alb": lambda grpc, tls: {
        "target-type": "ip",
        "load-balancer-attributes": "idle_timeout.timeout_seconds=3600",
        "backend-protocol": "HTTPS" if tls else "HTTP",
        "backend-protocol-version": "GRPC" if grpc else "HTTP1",
        "healthcheck-protocol": "HTTP",
        "healthcheck-port": "9090",
        "healthcheck-path": "/readyz",
    },
    "traefik": lambda grpc, tls: {},
    "other": lambda grpc, tls: {},
}
PREFIXES = {"nginx": "nginx.ingress.kubernetes.io", "haproxy": "haproxy.org", "alb": "alb.ingress.kubernetes.io"}


def allowed(found, to, port, labels, namespace=chart.NAMESPACE):
    """Whether pods with `labels` in `namespace` get through to a named port of a component."""
    target = component(found, to)
    policies = [
        policy["spec"]
        for policy in chart.of(found, "NetworkPolicy")
        if "Ingress" in policy["spec"]["policyTypes"]
        and chart.selects(policy["spec"]["podSelector"], target)
    ]
    if not policies:
        return True
    return any(
        port in [p["port"] for p in rule["ports"]]
        and ("from" not in rule or any(matches(peer, labels, namespace) for peer in rule["from"]))
        for policy in policies
        for rule in policy.get("ingress", [])
    )


def matches(peer, labels, namespace):
    if "namespaceSelector" in peer:
        there = chart.selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": namespace})
    else:
        there = namespace == chart.NAMESPACE
    return there and chart.selects(peer.get("podSelector", {}), labels)


def component(found, name):
    for one in found:
        template = chart.pod_template(one)
        labels = chart.labels_of(template) if template else {}
        if labels.get("app.kubernetes.io/component") == name:
            return labels
    raise AssertionError(f"there is no pod of {name}")


def ways_out(found, name):
    """The policies that say where a component's pods may go."""
    return [
        policy["spec"]
        for policy in chart.of(found, "NetworkPolicy")
        if "Egress" in policy["spec"]["policyTypes"]
        and chart.selects(policy["spec"]["podSelector"], component(found, name))
    ]


def leads(rule, port, to):
    """Whether a rule lets out to a port of pods with labels, of an address, or of anybody."""
    if port not in [p["port"] for p in rule["ports"]]:
        return False
    if "to" not in rule or to is None:
        return "to" not in rule
    if isinstance(to, str):
        blocks = [ipaddress.ip_network(peer["ipBlock"]["cidr"]) for peer in rule["to"] if "ipBlock" in peer]
        return any(ipaddress.ip_address(to) in block for block in blocks)
    return any("podSelector" in peer and matches(peer, to, chart.NAMESPACE) for peer in rule["to"])


def egress(found, name):
    """What the policy of this name lets out, if there is one."""
    policies = [p for p in chart.of(found, "NetworkPolicy") if "Egress" in p["spec"]["policyTypes"]]
    return [p["spec"] for p in policies if p["metadata"]["name"].endswith(f"-{name}")]


class Policies(unittest.TestCase):
    def test_the_port_between_processes_is_theirs_alone(self):
        found = chart.objects(chart.example("production"))
        for role in chart.ROLES:
            self.assertFalse(allowed(found, role, "peers", STRANGER))
            self.assertFalse(allowed(found, role, "peers", STRANGER, "monitoring"))
            # The same labels in another namespace are somebody else's.
            self.assertFalse(allowed(found, role, "peers", component(found, "sessions"), "other"))
            for other in [*chart.ROLES, "voters"]:
                self.assertTrue(allowed(found, role, "peers", component(found, other)), other)
            self.assertFalse(allowed(found, role, "peers", component(found, "chat-test")))

    def test_metrics_are_for_the_scraper(self):
        found = chart.objects(chart.least())
        for role in chart.ROLES:
            self.assertTrue(allowed(found, role, "health", {"app": "prometheus"}, "monitoring"))
            self.assertFalse(allowed(found, role, "health", STRANGER))
            self.assertFalse(allowed(found, role, "health", component(found, "gateway")))

    def test_clients_reach_gateways_and_nothing_else(self):
        for values, stranger_may in [(chart.least(), True), (chart.example("production"), False)]:
            found = chart.objects(values)
            self.assertEqual(allowed(found, "gateway", "clients", STRANGER), stranger_may)
            proxy = "envoy-gateway-system"
            self.assertTrue(allowed(found, "gateway", "clients", {"app": "envoy"}, proxy))
            self.assertTrue(allowed(found, "gateway", "clients", component(found, "chat-test")))
            for role in chart.ROLES[:-1]:
                self.assertFalse(allowed(found, role, "clients", STRANGER))

    def test_engines_for_a_try_out_are_the_releases_alone(self):
        for policies in [True, False]:
            values = chart.merged(
                chart.example("small"), {"networkPolicy": {"enabled": policies}}
            )
            found = chart.objects(values)
            for engine in ["postgres", "redis"]:
                self.assertFalse(allowed(found, f"dev-{engine}", engine, STRANGER))
                self.assertFalse(allowed(found, f"dev-{engine}", engine, STRANGER, "monitoring"))
                for role in ["sessions", "gateway", "chat-test"]:
                    self.assertTrue(allowed(found, f"dev-{engine}", engine, component(found, role)))
                # Nobody is sent there before it answers.
                [container] = chart.containers(chart.workloads(found)[f"dev-{engine}"]["spec"]["template"])
                self.assertIn("exec", container["readinessProbe"])

    def test_out_they_get_only_where_they_must(self):
        found = chart.objects(chart.example("production"))
        out = ways_out(found, "sessions")
        self.assertEqual(len(out), 1)
        for role in chart.ROLES:
            files = egress(found, "out-files") if role == "gateway" else []
            self.assertCountEqual(ways_out(found, role), out + files)
        ports = sorted(str(p["port"]) for rule in out[0]["egress"] for p in rule["ports"])
        self.assertEqual(ports, ["53", "53", "5432", "6379", "peers"])
        # Each other, and nobody else who has a port of that name.
        peers = [rule for rule in out[0]["egress"] if rule["ports"][0]["port"] == "peers"]
        for role in chart.ROLES:
            self.assertTrue(leads(peers[0], "peers", component(found, role)))
        self.assertFalse(leads(peers[0], "peers", STRANGER))
        engines = [rule for rule in out[0]["egress"] if rule["ports"][0]["port"] == 5432]
        self.assertEqual(engines[0]["to"], [{"ipBlock": {"cidr": "10.30.0.0/24"}}])

    def test_the_collector_of_traces_is_reached_when_there_is_one(self):
        traces = {"settings": {"telemetry": {"traces": {"endpoint": "http://collector:4317"}}}}
        for values, is_reached in [({}, False), (traces, True)]:
            found = chart.objects(chart.merged(chart.example("production"), values))
            [out] = ways_out(found, "sessions")
            self.assertEqual({"ports": [{"port": 4317}]} in out["egress"], is_reached)

    def test_what_runs_once_gets_out_where_it_must(self):
        """In a namespace that lets nothing out by itself, too."""
        values = chart.merged(chart.example("production"), {"loadtest": {"enabled": True}})
        found = chart.objects(values)
        database = "10.30.0.7"
        for name, wanted in {
            # What changes who votes is written down by a desk first.
            "voters": {"dns", "peers of presence", "peers of desk"},
            "chat-test": {"dns", "clients of gateway", "postgres"},
            "load": {"dns", "clients of gateway", "postgres"},
        }.items():
            rules = [rule for policy in ways_out(found, name) for rule in policy["egress"]]
            self.assertTrue(rules, name)
            ways = {"dns": (53, None), "postgres": (5432, database), "redis": (6379, database)}
            had = {way for way, to in ways.items() if any(leads(rule, *to) for rule in rules)}
            for role in chart.ROLES:
                for port in ["peers", "clients", "health"]:
                    if any(leads(rule, port, component(found, role)) for rule in rules):
                        had.add(f"{port} of {role}")
            self.assertEqual(had, wanted, name)
            # Who asks is let in there, and nobody asks them.
            for way in wanted:
                if " of " in way:
                    port, role = way.split(" of ")
                    self.assertTrue(allowed(found, role, port, component(found, name)), name)
            self.assertFalse(allowed(found, name, "clients", STRANGER), name)

    def test_gateways_alone_get_out_to_the_provider(self):
        self.only_gateways_get_out("provider", "out-oidc", 443)

    def test_gateways_alone_get_out_to_the_object_store(self):
        self.only_gateways_get_out("object store", "out-files", 9000)
        self.assertEqual(egress(chart.objects(chart.least()), "out-files"), [])

    def only_gateways_get_out(self, case, name, port):
        found = chart.objects(chart.cases()[case])
        [policy] = egress(found, name)
        self.assertEqual(policy["egress"], [{"ports": [{"port": port}]}])
        for role in chart.ROLES:
            self.assertEqual(chart.selects(policy["podSelector"], component(found, role)), role == "gateway")


class Defaults(unittest.TestCase):
    def test_what_protects_is_on_unless_it_is_turned_off(self):
        found = chart.objects(chart.least())
        kinds = {one["kind"] for one in found}
        self.assertLessEqual({"ValidatingAdmissionPolicy", "NetworkPolicy", "Certificate"}, kinds)
        self.assertTrue(ways_out(found, "gateway"))
        self.assertIn("tls", chart.settings(found)["cluster"])
        self.assertEqual(len(chart.of(found, "Job")), 2)
        # And nothing that belongs to somebody else, or is for trying out.
        self.assertFalse({"Ingress", "HTTPRoute", "ServiceMonitor", "PrometheusRule"} & kinds)
        self.assertEqual(set(chart.workloads(found)), set(chart.ROLES))
        self.assertEqual({s["spec"].get("type", "ClusterIP") for s in chart.of(found, "Service")}, {"ClusterIP"})

    def test_proxies_are_trusted_by_name_only(self):
        self.assertEqual(chart.settings(chart.objects(chart.least()))["gateway"]["trusted_proxies"], [])
        named = chart.settings(chart.objects(chart.example("production")))["gateway"]
        self.assertEqual(named["trusted_proxies"], ["10.20.0.0/16"])


class Routes(unittest.TestCase):
    """What is let in from outside, compared with what there is."""

    def setUp(self):
        text = (chart.ROOT / "services/gateway/src/http/openapi.json").read_text()
        self.paths = {re.sub(r"\{[^}]*\}", "x", path) for path in json.loads(text)["paths"]}
        sources = (chart.ROOT / "services/gateway/src/http/mod.rs").read_text()
        pages = re.findall(r'\.(?:get|post)\(\s*"(/[^"]*)"', sources)
        self.paths |= {re.sub(r"\{[^}]*\}", "x", path) for path in pages}
        protos = (chart.ROOT / "proto/frontdesk/v1").glob("*.proto")
        found = [re.findall(r"^service (\w+)", p.read_text(), re.M) for p in protos]
        self.services = sorted(f"frontdesk.v1.{name}" for names in found for name in names)

    def let_in(self, rules, path):
        return any(
            path == value
            or (kind == "Prefix" and path.startswith(value.rstrip("/") + "/"))
            for kind, value in rules
        )

    def check(self, rules, demo):
        inside = {"/metrics", "/livez", "/readyz"}
        self.assertLessEqual(inside, self.paths)
        for path in self.paths:
            is_demo = path == "/demo" or path.startswith("/demo/")
            expected = path not in inside and (demo or not is_demo)
            self.assertEqual(self.let_in(rules, path), expected, path)

    def test_routes_let_in_what_is_for_the_outside(self):
        for demo in [True, False]:
            values = chart.merged(chart.cases()["routes"], {"routes": {"demo": demo}})
            found = chart.objects(values)
            rule = chart.of(found, "HTTPRoute")[0]["spec"]["rules"][0]
            kinds = {"Exact": "Exact", "PathPrefix": "Prefix"}
            rules = [(kinds[m["path"]["type"]], m["path"]["value"]) for m in rule["matches"]]
            self.check(rules, demo)
            self.assertEqual(rule["timeouts"], {"request": "0s", "backendRequest": "0s"})
            grpc = chart.of(found, "GRPCRoute")[0]["spec"]
            self.assertEqual(
                sorted(m["method"]["service"] for m in grpc["rules"][0]["matches"]), self.services
            )
            self.assertEqual(grpc["hostnames"], ["grpc.example.com"])

    def test_ingresses_let_in_the_same(self):
        for name, values in chart.cases().items():
            if not name.startswith("ingress"):
                continue
            found = chart.objects(values)
            with self.subTest(case=name):
                paths = {
                    one["metadata"]["name"]: [
                        (p["pathType"], p["path"]) for p in one["spec"]["rules"][0]["http"]["paths"]
                    ]
                    for one in chart.of(found, "Ingress")
                }
                self.check(paths["fd-frontdesk-gateway"], demo=False)
                grpc = sorted(path[1:] for _, path in paths["fd-frontdesk-gateway-grpc"])
                self.assertEqual(grpc, self.services)

    def test_every_way_leads_to_a_port_of_a_service(self):
        for name, values in chart.cases().items():
            found = chart.objects(values)
            ports = {
                (s["metadata"]["name"], p["port"]): p["appProtocol"]
                for s in chart.of(found, "Service")
                for p in s["spec"]["ports"]
            }
            ways = [
                (ref["name"], ref["port"], route["kind"] == "GRPCRoute")
                for route in chart.of(found, "HTTPRoute") + chart.of(found, "GRPCRoute")
                for rule in route["spec"]["rules"]
                for ref in rule["backendRefs"]
            ] + [
                (backend["name"], backend["port"]["number"], "grpc" in one["metadata"]["name"])
                for one in chart.of(found, "Ingress")
                for path in one["spec"]["rules"][0]["http"]["paths"]
                for backend in [path["backend"]["service"]]
            ]
            for service, port, is_grpc in ways:
                with self.subTest(case=name, service=service):
                    self.assertIn((service, port), ports)
                    spoken = {True: "kubernetes.io/h2c", False: "kubernetes.io/ws"}[is_grpc]
                    if values.get("gateway", {}).get("tls", {}).get("enabled"):
                        spoken = "https"
                    self.assertEqual(ports[service, port], spoken)

    def test_controllers_are_told_what_they_need(self):
        """Not to cut streams, and what gateways speak: in full, with and without TLS there."""
        for controller, told in CONTROLLERS.items():
            for tls in [False, True]:
                values = chart.cases()[f"ingress {controller}"]
                if tls:
                    values = chart.merged(values, {"gateway": chart.cases()["public certificate"]["gateway"]})
                for one in chart.of(chart.objects(values), "Ingress"):
                    is_grpc = one["metadata"]["name"].endswith("-grpc")
                    with self.subTest(controller=controller, tls=tls, grpc=is_grpc):
                        had = one["metadata"].get("annotations", {})
                        self.assertEqual({re.sub(r"^[^/]*/", "", k): v for k, v in had.items()}, told(is_grpc, tls))
                        self.assertEqual({k.split("/")[0] for k in had}, {PREFIXES[controller]} if had else set())
        for tls, spoken in [(False, "h2c"), (True, "https")]:
            values = chart.cases()["ingress traefik"]
            if tls:
                values = chart.merged(values, {"gateway": chart.cases()["public certificate"]["gateway"]})
            service = chart.of(chart.objects(values), "Service", "-gateway-grpc")
            key = "traefik.ingress.kubernetes.io/service.serversscheme"
            self.assertEqual(service["metadata"]["annotations"][key], spoken)

    def test_an_alb_finds_the_probes_where_they_are(self):
        found = chart.objects(chart.merged(chart.cases()["ingress alb"], chart.cases()["other ports"]))
        for one in chart.of(found, "Ingress"):
            port = one["metadata"]["annotations"]["alb.ingress.kubernetes.io/healthcheck-port"]
            self.assertEqual(port, chart.settings(found)["cluster"]["health_listen"].rsplit(":")[-1])
        # And is let in there, as a pod's neighbours are not.
        [policy] = [p for p in chart.of(found, "NetworkPolicy") if p["metadata"]["name"].endswith("-metrics")]
        self.assertIn(chart.BALANCERS[0], policy["spec"]["ingress"][0]["from"])

    def test_envoy_ends_no_stream(self):
        found = chart.objects(chart.example("production"))
        policy = chart.of(found, "BackendTrafficPolicy")[0]["spec"]
        limits = policy["timeout"]["http"]
        self.assertEqual((limits["requestTimeout"], limits["maxStreamDuration"]), ("0s", "0s"))
        routes = {(r["kind"], r["metadata"]["name"]) for k in ("HTTPRoute", "GRPCRoute") for r in chart.of(found, k)}
        self.assertEqual({(t["kind"], t["name"]) for t in policy["targetRefs"]}, routes)

    def test_proxies_know_gateways_that_speak_tls(self):
        """Each service that a route leads to, under the name in its certificate."""
        for case, authority in [("public certificate", {"caCertificateRefs": [
            {"group": "", "kind": "ConfigMap", "name": "corporate-ca"}
        ]}), ("public issuer", {"wellKnownCACertificates": "System"})]:
            found = chart.objects(chart.cases()[case])
            policies = [p["spec"] for p in chart.of(found, "BackendTLSPolicy")]
            targets = [t["name"] for p in policies for t in p["targetRefs"]]
            routes = chart.of(found, "HTTPRoute") + chart.of(found, "GRPCRoute")
            led_to = [b["name"] for r in routes for rule in r["spec"]["rules"] for b in rule["backendRefs"]]
            self.assertEqual(sorted(targets), sorted(led_to))
            for policy in policies:
                # More than one is not widely understood.
                self.assertEqual(len(policy["targetRefs"]), 1)
                self.assertEqual(policy["validation"], {"hostname": "chat.example.com", **authority})
        self.assertEqual(chart.of(chart.objects(chart.cases()["routes"]), "BackendTLSPolicy"), [])
        off = {"routes": {"gatewayApi": {"backendTls": {"enabled": False}}}}
        found = chart.objects(chart.merged(chart.cases()["public certificate"], off))
        self.assertEqual(chart.of(found, "BackendTLSPolicy"), [])

    def test_a_load_balancer_is_the_one_that_was_asked_for(self):
        found = chart.objects(chart.cases()["public issuer"])
        for name in ["-gateway", "-gateway-grpc"]:
            service = chart.of(found, "Service", name)["spec"]
            self.assertEqual(service["loadBalancerClass"], "example.com/internal")
            self.assertEqual(service["loadBalancerSourceRanges"], ["10.0.0.0/8"])
            self.assertEqual(service["ipFamilyPolicy"], "PreferDualStack")
            self.assertEqual(service["externalTrafficPolicy"], "Local")

    def test_own_annotations_win(self):
        values = chart.merged(
            chart.cases()["ingress nginx"],
            {"routes": {"ingress": {"annotations": {"nginx.ingress.kubernetes.io/proxy-read-timeout": "90"}}}},
        )
        for one in chart.of(chart.objects(values), "Ingress"):
            self.assertEqual(one["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-read-timeout"], "90")
