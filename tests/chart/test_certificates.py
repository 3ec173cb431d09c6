"""Certificates that cert-manager is asked for: for whom, for how long, and who mounts them."""

import re
import unittest

import chart


def harness(values):
    """The pods of `helm test` and of the load, each with the harness's container."""
    found = chart.objects(values)
    job = [j for j in chart.of(found, "Job") if "-load-" in j["metadata"]["name"]]
    templates = [chart.of(found, "Pod", "-chat-test"), *(j["spec"]["template"] for j in job)]
    return [(t["spec"], t["spec"]["containers"][0]) for t in templates]


def of_flag(container, flag):
    return [a.removeprefix(f"{flag}=") for a in container["args"] if a.startswith(f"{flag}=")]


def trust(container):
    return {e["name"]: e["value"] for e in container.get("env", [])}


def authority(spec):
    """The volume that the harness has authorities from, if there is one."""
    return [v for v in spec["volumes"] if v["name"] == "authority"]


#: Gateways with a secret of their own, and nothing said of the Gateway API.
BY_HAND = chart.least(
    gateway={"tls": {"enabled": True, "existingSecret": "web"}},
    tests={"tls": {"name": "chat.example.com"}},
    loadtest={"enabled": True},
)


def hours(duration):
    return int(re.fullmatch(r"(\d+)h", duration)[1])


class Certificates(unittest.TestCase):
    def test_processes_know_each_other_by_the_name_in_theirs(self):
        source = (chart.ROOT / "services/cluster/src/tls/mod.rs").read_text()
        [name] = re.findall(r'"(frontdesk\.internal)"', source)[:1]
        found = chart.objects(chart.least())
        spec = chart.of(found, "Certificate", "-internal-tls")["spec"]
        self.assertEqual(spec["dnsNames"], [name])
        # Each is server and client.
        self.assertLessEqual({"server auth", "client auth"}, set(spec["usages"]))
        # A key is no older than its certificate, and there is time to renew both.
        self.assertEqual(spec["privateKey"]["rotationPolicy"], "Always")
        self.assertLess(hours(spec["renewBefore"]), hours(spec["duration"]) / 2)
        for role in chart.ROLES:
            volumes = chart.workloads(found)[role]["spec"]["template"]["spec"]["volumes"]
            secrets = [v["secret"]["secretName"] for v in volumes if v["name"] == "internal-tls"]
            self.assertEqual(secrets, [spec["secretName"]])

    def test_their_authority_is_the_releases_own_and_stays(self):
        found = chart.objects(chart.least())
        authority = chart.of(found, "Certificate", "-authority")["spec"]
        self.assertIs(authority["isCA"], True)
        # Another key would part those who know it from those who do not.
        self.assertEqual(authority["privateKey"]["rotationPolicy"], "Never")
        issuers = {i["metadata"]["name"]: i["spec"] for i in chart.of(found, "Issuer")}
        self.assertEqual(issuers[authority["issuerRef"]["name"]], {"selfSigned": {}})
        own = chart.of(found, "Certificate", "-internal-tls")["spec"]
        self.assertEqual(issuers[own["issuerRef"]["name"]], {"ca": {"secretName": authority["secretName"]}})

    def test_another_issuer_makes_none(self):
        found = chart.objects(chart.cases()["another issuer"])
        self.assertEqual(chart.of(found, "Issuer"), [])
        [one] = chart.of(found, "Certificate")
        self.assertEqual(one["spec"]["issuerRef"], {"name": "ca", "kind": "ClusterIssuer"})
        for case in ["own certificates", "no certificates"]:
            found = chart.objects(chart.cases()[case])
            self.assertEqual(chart.of(found, "Certificate") + chart.of(found, "Issuer"), [])

    def test_the_one_for_clients_is_as_its_issuer_makes_it(self):
        found = chart.objects(chart.cases()["public issuer"])
        spec = chart.of(found, "Certificate", "-public-tls")["spec"]
        self.assertEqual(spec["dnsNames"], ["chat.example.com"])
        self.assertEqual(spec["issuerRef"]["name"], "acme")
        self.assertIn("server auth", spec["usages"])
        self.assertNotIn("client auth", spec["usages"])
        # Many issuers give shorter ones than those between processes.
        self.assertFalse({"duration", "renewBefore"} & set(spec))


class Harness(unittest.TestCase):
    """Where gateways speak TLS, `helm test` and the load check what each of them shows."""

    def test_each_gateway_must_have_the_name_that_a_proxy_is_told(self):
        for values in [chart.cases()["public certificate"], chart.cases()["public issuer"], BY_HAND]:
            policies = chart.of(chart.objects(values), "BackendTLSPolicy")
            told = {p["spec"]["validation"]["hostname"] for p in policies}
            self.assertLessEqual(told, {"chat.example.com"})
            pods = harness(values)
            self.assertEqual(len(pods), 2)
            for spec, container in pods:
                self.assertEqual(of_flag(container, "--tls-name"), ["chat.example.com"])
                self.assertIn("--each-address", container["args"])
                [target] = of_flag(container, "--target")
                self.assertRegex(target, r"^https://fd-frontdesk-gateway-pods:\d+$")
                [origin] = of_flag(spec["initContainers"][0], "--origin")
                self.assertEqual(origin, "https://chat.example.com")

    def test_it_is_checked_against_the_authority_that_is_named(self):
        named = chart.merged(BY_HAND, {"tests": {"tls": {"caConfigMap": "corporate-ca"}}})
        for values in [chart.cases()["public certificate"], named]:
            for spec, container in harness(values):
                [volume] = authority(spec)
                self.assertEqual(volume["configMap"]["name"], "corporate-ca")
                self.assertEqual(trust(container), {"SSL_CERT_FILE": self.folder(container) + "/ca.crt"})

    def test_else_against_those_in_the_image_and_in_the_secret(self):
        shipped = "/etc/ssl/certs/ca-certificates.crt"
        self.assertIn(shipped, (chart.ROOT / "Dockerfile").read_text())
        for values, secret in [(chart.cases()["public issuer"], "fd-frontdesk-public-tls"), (BY_HAND, "web")]:
            for spec, container in harness(values):
                [volume] = authority(spec)
                self.assertEqual(volume["secret"]["secretName"], secret)
                # Many a secret has no authority; the key is no business of a client's.
                self.assertIs(volume["secret"]["optional"], True)
                self.assertEqual([i["key"] for i in volume["secret"]["items"]], ["ca.crt"])
                self.assertEqual(
                    trust(container),
                    {"SSL_CERT_FILE": shipped, "SSL_CERT_DIR": self.folder(container)},
                )

    def folder(self, container):
        [mount] = [m for m in container["volumeMounts"] if m["name"] == "authority"]
        self.assertIs(mount["readOnly"], True)
        return mount["mountPath"]

    def test_what_is_said_for_it_wins(self):
        own = {"tests": {"tls": {"name": "inside.example", "caConfigMap": "own"}}}
        for spec, container in harness(chart.merged(chart.cases()["public certificate"], own)):
            self.assertEqual(of_flag(container, "--tls-name"), ["inside.example"])
            self.assertEqual(authority(spec)[0]["configMap"]["name"], "own")

    def test_a_pattern_is_no_name(self):
        names = ["*.example.com", "chat.example.com"]
        values = chart.merged(
            chart.cases()["public issuer"], {"gateway": {"tls": {"certManager": {"dnsNames": names}}}}
        )
        for _, container in harness(values):
            self.assertEqual(of_flag(container, "--tls-name"), ["chat.example.com"])
        hosts = {"routes": {"ingress": {"hosts": ["*.example.com", "desk.example.com"]}}}
        only = {"gateway": {"tls": {"certManager": {"dnsNames": names[:1]}}}}
        for _, container in harness(chart.merged(values, only, hosts)):
            self.assertEqual(of_flag(container, "--tls-name"), ["desk.example.com"])
        self.assertIn("backendTls.hostname", chart.refusal(chart.merged(values, only)))

    def test_without_tls_nothing_of_it_is_there(self):
        named = {"tests": {"tls": {"name": "chat.example.com", "caConfigMap": "own"}}}
        for spec, container in harness(chart.merged(chart.cases()["load"], named)):
            self.assertEqual(of_flag(container, "--tls-name"), [])
            self.assertEqual((authority(spec), trust(container)), ([], {}))
            self.assertTrue(of_flag(container, "--target")[0].startswith("http://"))
