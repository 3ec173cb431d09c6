"""What the pods are: who selects them, what they may, what they are told."""

import re
import unittest

import chart

#: Which secrets a role is given: what it uses, and no more.
SECRETS = {
    "presence": set(),
    "sessions": {"FRONTDESK_POSTGRES__URL", "FRONTDESK_REDIS__ADDRESS"},
    "queueing": set(),
    "routing": {"FRONTDESK_REDIS__ADDRESS"},
    "desk": {"FRONTDESK_POSTGRES__URL"},
    "gateway": {"FRONTDESK_POSTGRES__URL", "FRONTDESK_REDIS__ADDRESS"},
}
#: What may be asked for by the pods that make accounts.
LOAD = {"FRONTDESK_POSTGRES__URL"}
#: Made by whoever installs it.
GIVEN = {"keys", "pg", "redis", "tls", "web", "frontdesk-postgres", "frontdesk-redis", "frontdesk-token-keys"}
GIVEN |= {"oidc", "corporate-ca", "pg-ca", "redis-tls", "admin", "s3", "s3-ca"}


class Pods(unittest.TestCase):
    @chart.in_every_case
    def test_workloads_select_their_own_pods_and_no_others(self, values, found):
        templates = [t for one in found if (t := chart.pod_template(one))]
        self.assertEqual(set(chart.ROLES) - set(chart.workloads(found)), set())
        for one in chart.of(found, "Deployment") + chart.of(found, "StatefulSet"):
            selector = one["spec"]["selector"]
            matching = [t for t in templates if chart.selects(selector, chart.labels_of(t))]
            self.assertEqual(matching, [one["spec"]["template"]])
            # A version in a selector would make every upgrade impossible.
            self.assertEqual(len(selector["matchLabels"]), 3)

    @chart.in_every_case
    def test_services_reach_a_port_of_the_pods_they_select(self, values, found):
        templates = [t for one in found if (t := chart.pod_template(one))]
        for service in chart.of(found, "Service"):
            selector = {"matchLabels": service["spec"]["selector"]}
            matching = [t for t in templates if chart.selects(selector, chart.labels_of(t))]
            name = service["metadata"]["name"]
            expected = len(chart.ROLES) if name.endswith("-metrics") else 1
            self.assertEqual(len(matching), expected, name)
            for template in matching:
                ports = {p["name"] for c in chart.containers(template) for p in c.get("ports", [])}
                for port in service["spec"]["ports"]:
                    self.assertIn(port["targetPort"], ports, name)
                    own = {"http": "clients", "grpc": "clients"}.get(port["name"], port["name"])
                    self.assertEqual(port["targetPort"], own, name)
                    self.assertTrue(port["appProtocol"], name)

    @chart.in_every_case
    def test_who_ends_says_why_in_its_status(self, values, found):
        """There is no shell in the image, and a log may be gone with its node."""
        for template in filter(None, map(chart.pod_template, found)):
            for container in chart.containers(template):
                if container["image"].startswith("frontdesk"):
                    self.assertEqual(container["terminationMessagePolicy"], "FallbackToLogsOnError")

    def test_kubectl_takes_the_roles_container(self):
        for role in chart.ROLES:
            template = chart.workloads(chart.objects(chart.least()))[role]["spec"]["template"]
            annotations = template["metadata"]["annotations"]
            self.assertEqual(annotations["kubectl.kubernetes.io/default-container"], role)
            self.assertEqual(template["spec"]["containers"][0]["name"], role)

    @chart.in_every_case
    def test_pods_have_no_rights(self, values, found):
        for one in found:
            template = chart.pod_template(one)
            if not template:
                continue
            spec = template["spec"]
            self.assertIs(spec["automountServiceAccountToken"], False)
            # FRONTDESK_GATEWAY_PORT=tcp://… would be taken for a setting.
            self.assertIs(spec["enableServiceLinks"], False)
            self.assertIs(spec["securityContext"]["runAsNonRoot"], True)
            # Left to the cluster where nothing is said, as the image names its user, too.
            if "runAs" not in values or "dev-" in one["metadata"]["name"]:
                self.assertGreater(spec["securityContext"]["runAsUser"], 0)
            self.assertEqual(spec["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
            self.assertNotIn("hostNetwork", spec)
            # Of these alone, for namespaces whose Pod Security is "restricted".
            allowed = {"name", "configMap", "secret", "emptyDir", "persistentVolumeClaim"}
            self.assertLessEqual({k for v in spec.get("volumes", []) for k in v}, allowed)
            accounts = {a["metadata"]["name"] for a in chart.of(found, "ServiceAccount")}
            given = values.get("serviceAccount", {}).get("name")
            self.assertEqual({spec["serviceAccountName"]}, {given} if given else accounts)
            for container in chart.containers(template):
                security = container["securityContext"]
                self.assertIs(security["readOnlyRootFilesystem"], True)
                self.assertIs(security["allowPrivilegeEscalation"], False)
                self.assertEqual(security["capabilities"], {"drop": ["ALL"]})
                self.assertIn("memory", container["resources"]["limits"])
                self.assertIn("memory", container["resources"]["requests"])
        for account in chart.of(found, "ServiceAccount"):
            self.assertIs(account["automountServiceAccountToken"], False)
        kinds = {one["kind"] for one in found}
        self.assertFalse(kinds & {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"})

    @chart.in_every_case
    def test_secrets_go_to_whom_they_are_for(self, values, found):
        made = {s["metadata"]["name"] for s in chart.of(found, "Secret")}
        made |= {c["spec"]["secretName"] for c in chart.of(found, "Certificate")}
        for role, one in chart.workloads(found).items():
            template = one["spec"]["template"]
            names = {
                e["name"]
                for e in template["spec"]["containers"][0].get("env", [])
                if "secretKeyRef" in e.get("valueFrom", {})
            }
            wanted = set(SECRETS.get(role, set()))
            if role == "gateway" and values.get("oidc"):
                wanted.add("FRONTDESK_GATEWAY__OIDC__CLIENT_SECRET")
            if "adminToken" in values.get("monitoring", {}) and role in chart.ROLES:
                wanted.add("FRONTDESK_TELEMETRY__ADMIN_TOKEN")
            self.assertEqual(names, wanted, role)
        for one in chart.of(found, "Pod") + chart.of(found, "Job"):
            variables = [e for c in chart.containers(chart.pod_template(one)) for e in c.get("env", [])]
            names = {e["name"] for e in variables if "secretKeyRef" in e.get("valueFrom", {})}
            self.assertEqual(names, set() if "voters" in one["metadata"]["name"] else LOAD)
        for template in filter(None, map(chart.pod_template, found)):
            for container in chart.containers(template):
                for variable in container.get("env", []):
                    ref = variable.get("valueFrom", {}).get("secretKeyRef")
                    if ref:
                        self.assertIn(ref["name"], made | GIVEN)
                        for secret in chart.of(found, "Secret"):
                            if secret["metadata"]["name"] == ref["name"]:
                                self.assertIn(ref["key"], secret["stringData"])
            for volume in template["spec"].get("volumes", []):
                if "secret" in volume:
                    self.assertIn(volume["secret"]["secretName"], made | GIVEN)
                if "configMap" in volume:
                    maps = {m["metadata"]["name"] for m in chart.of(found, "ConfigMap")}
                    self.assertIn(volume["configMap"]["name"], maps | {"corporate-ca"})

    @chart.in_every_case
    def test_there_is_no_password_anywhere(self, values, found):
        for one in found:
            if one["kind"] == "Secret":
                self.assertEqual(one["type"], "Opaque")
                for value in one["stringData"].values():
                    self.assertNotRegex(value, r"//[^/@]*:[^/@]+@")
                continue
            for word in re.findall(r"(?i)\b(?:password|passwd|secret)\b\s*[=:]\s*\S+", str(one)):
                self.fail(f"{one['kind']} {one['metadata']['name']}: {word}")

    @chart.in_every_case
    def test_mounts_have_their_volumes_and_files_their_mounts(self, values, found):
        settings = chart.settings(found)
        for one in found:
            template = chart.pod_template(one)
            if not template:
                continue
            spec = template["spec"]
            volumes = {v["name"] for v in spec.get("volumes", [])}
            volumes |= {c["metadata"]["name"] for c in one["spec"].get("volumeClaimTemplates", [])}
            for container in chart.containers(template):
                mounts = {m["name"]: m["mountPath"] for m in container.get("volumeMounts", [])}
                self.assertLessEqual(set(mounts), volumes)
                config = [e for e in container.get("env", []) if e["name"] == "FRONTDESK_CONFIG"]
                if not config:
                    continue
                self.assertEqual(config[0]["value"], f"{mounts['settings']}/cluster.toml")
                for path in settings["cluster"].get("tls", {}).values():
                    self.assertTrue(path.startswith(mounts["internal-tls"] + "/"))
                # Files that are mounted one by one are never renewed.
                self.assertFalse([m for m in container["volumeMounts"] if "subPath" in m])
        gateway = chart.workloads(found)["gateway"]["spec"]["template"]["spec"]["containers"][0]
        mounts = {m["name"]: m["mountPath"] for m in gateway["volumeMounts"]}
        [keys] = [v for v in chart.workloads(found)["gateway"]["spec"]["template"]["spec"]["volumes"] if v["name"] == "token-keys"]
        [item] = keys["secret"]["items"]
        self.assertEqual(settings["gateway"]["keys_file"], f"{mounts['token-keys']}/{item['path']}")
        for path in settings["gateway"].get("tls", {}).values():
            self.assertTrue(path.startswith(mounts["public-tls"] + "/"))
        if ca := settings["gateway"].get("oidc", {}).get("ca"):
            self.assertTrue(ca.startswith(mounts["oidc-ca"] + "/"))
        s3 = settings.get("attachments", {}).get("s3", {})
        for key, mount in [("credentials_file", "s3-key"), ("ca", "s3-ca")]:
            self.assertEqual(key in s3, mount in mounts, key)
            if key in s3:
                self.assertTrue(s3[key].startswith(mounts[mount] + "/"))
        for role in set(chart.ROLES) - {"gateway"}:
            others = chart.workloads(found)[role]["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
            self.assertFalse([m for m in others if m["name"].startswith("s3-")], role)

    @chart.in_every_case
    def test_certificates_of_engines_go_to_those_who_ask_them(self, values, found):
        settings = chart.settings(found)
        users = {"postgres": {"sessions", "desk", "gateway"}, "redis": {"sessions", "routing", "gateway"}}
        for engine, roles in users.items():
            paths = [v for k, v in settings.get(engine, {}).items() if k in ("ca", "client_cert", "client_key")]
            mounted = {
                role
                for role, one in chart.workloads(found).items()
                for m in one["spec"]["template"]["spec"]["containers"][0].get("volumeMounts", [])
                if m["name"] == f"{engine}-tls" and all(p.startswith(m["mountPath"] + "/") for p in paths)
            }
            self.assertEqual(mounted, roles if paths else set(), engine)
            # And to those who make accounts in the database.
            for one in chart.of(found, "Pod") + chart.of(found, "Job"):
                for container in chart.containers(chart.pod_template(one)):
                    names = {e["name"] for e in container.get("env", [])}
                    if f"FRONTDESK_{engine.upper()}__URL" in names and paths:
                        mounts = [m["mountPath"] for m in container["volumeMounts"]]
                        self.assertIn(f"/tls/{engine}", mounts, one["metadata"]["name"])

    @chart.in_every_case
    def test_ports_agree_with_the_settings(self, values, found):
        settings = chart.settings(found)
        listening = {
            "peers": settings["cluster"]["listen"],
            "health": settings["cluster"]["health_listen"],
            "clients": settings["gateway"]["listen"],
        }
        any_address = "[::]" if values.get("ipFamily") == "IPv6" else "0.0.0.0"
        for role in chart.ROLES:
            container = chart.workloads(found)[role]["spec"]["template"]["spec"]["containers"][0]
            ports = {p["name"]: p["containerPort"] for p in container["ports"]}
            self.assertEqual("clients" in ports, role == "gateway")
            dual = values.get("gateway", {}).get("service", {}).get("ipFamilyPolicy", "")
            for name, port in ports.items():
                # An address of the other family gets there only when both are listened on.
                both = name == "clients" and dual.endswith("DualStack")
                self.assertEqual(listening[name], f"{'[::]' if both else any_address}:{port}")
            advertised = [a for a in container["args"] if a.startswith("--advertise=")]
            self.assertTrue(advertised[0].endswith(f":{ports['peers']}"))

    @chart.in_every_case
    def test_probes_ask_the_health_port(self, values, found):
        for role in chart.ROLES:
            container = chart.workloads(found)[role]["spec"]["template"]["spec"]["containers"][0]
            path = {k: container[k]["httpGet"]["path"] for k in ("startupProbe", "livenessProbe", "readinessProbe")}
            self.assertEqual(path, {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"})
            for probe in path:
                self.assertEqual(container[probe]["httpGet"]["port"], "health")
            startup = container["startupProbe"]
            self.assertGreaterEqual(startup["periodSeconds"] * startup["failureThreshold"], 300)

    def test_other_settings_make_other_pods(self):
        before = chart.objects(chart.least())
        after = chart.objects(chart.least(log={"level": "debug"}))
        for role in chart.ROLES:
            pods = [chart.workloads(found)[role]["spec"]["template"] for found in (before, after)]
            self.assertNotEqual(*pods, role)
        # What only one role goes by replaces no voter, and nobody else.
        for section, setting in [("gateway", {"request_burst": 31}), ("sessions", {"attempts": 5}), ("desk", {"cache_for": 1})]:
            other = chart.objects(chart.least(settings={section: setting}))
            changed = {r for r in chart.ROLES if chart.workloads(before)[r] != chart.workloads(other)[r]}
            self.assertEqual(changed, {section})
        # So do other addresses, of the roles that have them.
        engines = {"postgres": {"sessions", "desk", "gateway"}, "redis": {"sessions", "routing", "gateway"}}
        for engine, key, url in [("postgres", "url", "postgresql://{}/f"), ("redis", "address", "redis://{}")]:
            a, b = (
                chart.objects(chart.least(**{engine: {key: url.format(h), "existingSecret": {"name": ""}}}))
                for h in "ab"
            )
            changed = {r for r in chart.ROLES if chart.workloads(a)[r] != chart.workloads(b)[r]}
            self.assertEqual(changed, engines[engine])
        # What only changes a number of pods replaces none of them.
        more = chart.objects(chart.least(sessions={"replicas": 4}))
        for role in chart.ROLES:
            pods = [chart.workloads(found)[role]["spec"]["template"] for found in (before, more)]
            self.assertEqual(*pods, role)

    def test_scheduling_comes_through(self):
        values = chart.cases()["scheduling"]
        for role in chart.ROLES:
            spec = chart.workloads(chart.objects(values))[role]["spec"]["template"]["spec"]
            self.assertEqual(spec["nodeSelector"], {"disk": "fast"})
            self.assertEqual(spec["tolerations"], [{"key": "chat", "operator": "Exists"}])
            self.assertEqual(spec["priorityClassName"], "high")
            self.assertIn({"name": "TZ", "value": "UTC"}, spec["containers"][0]["env"])

    @chart.in_every_case
    def test_pods_are_spread_by_their_own_labels(self, values, found):
        for role in chart.ROLES:
            template = chart.workloads(found)[role]["spec"]["template"]
            spread = template["spec"]["topologySpreadConstraints"]
            self.assertEqual(
                [s["topologyKey"] for s in spread],
                ["topology.kubernetes.io/zone", "kubernetes.io/hostname"],
            )
            for one in spread:
                self.assertTrue(chart.selects(one["labelSelector"], chart.labels_of(template)))
                # A zone that failed still has its hosts, tainted: it must not be waited for.
                self.assertEqual(one["nodeTaintsPolicy"], "Honor")
                newer = ["pod-template-hash"] if role != "presence" else None
                self.assertEqual(one.get("matchLabelKeys"), newer)
                # Each voter has a host of its own: a skew of 1 would let two share one.
                alone = role == "presence" and one["topologyKey"] == "kubernetes.io/hostname"
                alone = alone and one["whenUnsatisfiable"] == "DoNotSchedule"
                replicas = chart.workloads(found)[role]["spec"].get("replicas")
                self.assertEqual(one.get("minDomains"), replicas if alone else None)
        hosts = chart.workloads(chart.objects(chart.least()))["presence"]["spec"]["template"]["spec"]
        self.assertEqual(hosts["topologySpreadConstraints"][1]["whenUnsatisfiable"], "DoNotSchedule")
        zones = chart.objects(chart.example("production", "multi-zone"))
        for role in chart.ROLES:
            spread = chart.workloads(zones)[role]["spec"]["template"]["spec"]["topologySpreadConstraints"]
            self.assertEqual(spread[0]["whenUnsatisfiable"], "DoNotSchedule", role)


class Additions(unittest.TestCase):
    """What a platform adds to every chart: it arrives, and where it belongs."""

    def setUp(self):
        self.found = chart.objects(chart.cases()["additions"])

    def test_each_role_has_what_was_put_beside_it(self):
        added = chart.ADDITIONS
        for role in chart.ROLES:
            one = chart.workloads(self.found)[role]
            self.assertLessEqual(added["annotations"].items(), one["metadata"]["annotations"].items())
            spec = one["spec"]["template"]["spec"]
            self.assertEqual([c["name"] for c in spec["initContainers"]], ["database-proxy"])
            # Its own comes first: `kubectl logs` and `exec` take that one.
            self.assertEqual([c["name"] for c in spec["containers"]], [role, "shipper"])
            own = spec["containers"][0]
            self.assertEqual(own["envFrom"], added["extraEnvFrom"])
            self.assertIn(added["extraVolumeMounts"][0], own["volumeMounts"])
            self.assertIn(added["extraVolumes"][0], spec["volumes"])
            self.assertIs(spec["hostUsers"], False)

    def test_labels_for_all_are_everywhere_and_select_nothing(self):
        text = "cost-centre"
        for one in self.found:
            if one["metadata"]["name"] == "of-theirs" or "as-text" in one["metadata"]["name"]:
                continue
            with self.subTest(kind=one["kind"], name=one["metadata"]["name"]):
                self.assertEqual(one["metadata"]["labels"].get(text), "17")
                if template := chart.pod_template(one):
                    self.assertEqual(chart.labels_of(template).get(text), "17")
                self.assertNotIn(text, str(one["spec"].get("selector", "")) if "spec" in one else "")
                self.assertNotIn(text, str(one.get("spec", {}).get("podSelector", "")))

    def test_what_runs_once_is_scheduled_by_its_own_values(self):
        jobs = chart.of(self.found, "Job") + chart.of(self.found, "Pod")
        self.assertEqual(len(jobs), 4, "two hooks, load, the test")
        for one in jobs:
            template = chart.pod_template(one)
            self.assertEqual(template["spec"]["priorityClassName"], "low")
            self.assertEqual(template["spec"]["nodeSelector"], {"pool": "batch"})
            self.assertEqual(template["spec"]["tolerations"], [{"key": "batch", "operator": "Exists"}])
            self.assertEqual(chart.labels_of(template)["sidecar.istio.io/inject"], "false")
            self.assertEqual(template["metadata"]["annotations"]["note"], "once")
            # Nothing that runs once may run for ever.
            deadline = one["spec"].get("activeDeadlineSeconds")
            self.assertTrue(deadline or "-load-" in one["metadata"]["name"])

    def test_the_user_and_the_account_may_be_theirs(self):
        self.assertEqual(chart.of(self.found, "ServiceAccount"), [])
        for one in self.found:
            if template := chart.pod_template(one):
                security = template["spec"]["securityContext"]
                self.assertFalse({"runAsUser", "runAsGroup", "fsGroup"} & set(security))
                self.assertEqual(template["spec"]["serviceAccountName"], "theirs")
        usual = chart.objects(chart.least(serviceAccount={"annotations": {"a": "b"}}))
        [account] = chart.of(usual, "ServiceAccount")
        self.assertEqual(account["metadata"]["annotations"], {"a": "b"})
        nobody = chart.objects(chart.least(serviceAccount={"create": False}))
        self.assertEqual(chart.workloads(nobody)["desk"]["spec"]["template"]["spec"]["serviceAccountName"], "default")

    def test_their_objects_are_rendered_with_their_templates(self):
        names = {o["metadata"]["name"] for o in chart.of(self.found, "ConfigMap")}
        self.assertLessEqual({"of-theirs", "as-text-1"}, names)
