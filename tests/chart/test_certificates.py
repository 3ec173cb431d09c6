"""Certificates that cert-manager is asked for: for whom, for how long, and who mounts them."""

import re
import unittest

import chart


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
