"""Who reaches what: network policies as a network would apply them, and the ways in."""

import json
import re
import unittest

import chart

#: Somebody in the cluster who has nothing to do with the release.
STRANGER = {"app": "other"}


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

    def test_out_they_get_only_where_they_must(self):
        found = chart.objects(chart.example("production"))
        out = egress(found, "out")
        self.assertEqual(len(out), 1)
        for role in chart.ROLES:
            self.assertTrue(chart.selects(out[0]["podSelector"], component(found, role)))
        ports = sorted(str(p["port"]) for rule in out[0]["egress"] for p in rule["ports"])
        self.assertEqual(ports, ["53", "53", "5432", "6379", "peers"])
        engines = [rule for rule in out[0]["egress"] if rule["ports"][0]["port"] == 5432]
        self.assertEqual(engines[0]["to"], [{"ipBlock": {"cidr": "10.30.0.0/24"}}])

    def test_the_collector_of_traces_is_reached_when_there_is_one(self):
        traces = {"settings": {"telemetry": {"traces": {"endpoint": "http://collector:4317"}}}}
        for values, is_reached in [({}, False), (traces, True)]:
            found = chart.objects(chart.merged(chart.example("production"), values))
            [out] = egress(found, "out")
            self.assertEqual({"ports": [{"port": 4317}]} in out["egress"], is_reached)

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
                    self.assertEqual(ports[service, port], spoken)

    def test_controllers_are_told_not_to_cut_streams(self):
        told = {
            "nginx": ("nginx.ingress.kubernetes.io/proxy-read-timeout", "3600"),
            "haproxy": ("haproxy.org/timeout-tunnel", "3600s"),
            "alb": ("alb.ingress.kubernetes.io/load-balancer-attributes", "idle_timeout.timeout_seconds=3600"),
        }
        spoken = {
            "nginx": ("nginx.ingress.kubernetes.io/backend-protocol", "GRPC"),
            "haproxy": ("haproxy.org/server-proto", "h2"),
            "alb": ("alb.ingress.kubernetes.io/backend-protocol-version", "GRPC"),
        }
        for controller, (key, value) in told.items():
            found = chart.objects(chart.cases()[f"ingress {controller}"])
            for one in chart.of(found, "Ingress"):
                annotations = one["metadata"]["annotations"]
                self.assertEqual(annotations[key], value)
                key_of_grpc, value_of_grpc = spoken[controller]
                is_grpc = one["metadata"]["name"].endswith("-grpc")
                self.assertEqual(annotations.get(key_of_grpc) == value_of_grpc, is_grpc)
        found = chart.objects(chart.cases()["ingress traefik"])
        service = chart.of(found, "Service", "-gateway-grpc")
        key = "traefik.ingress.kubernetes.io/service.serversscheme"
        self.assertEqual(service["metadata"]["annotations"][key], "h2c")
        policy = chart.of(chart.objects(chart.example("production")), "BackendTrafficPolicy")[0]
        self.assertEqual(policy["spec"]["timeout"]["http"]["requestTimeout"], "0s")

    def test_own_annotations_win(self):
        values = chart.merged(
            chart.cases()["ingress nginx"],
            {"routes": {"ingress": {"annotations": {"nginx.ingress.kubernetes.io/proxy-read-timeout": "90"}}}},
        )
        for one in chart.of(chart.objects(values), "Ingress"):
            self.assertEqual(one["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-read-timeout"], "90")
