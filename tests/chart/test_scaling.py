"""How many there are of each: budgets, autoscaling, and the voters of the Raft group."""

import unittest

import celpy
from celpy.adapter import json_to_cel

import chart


def cases():
    for name, values in chart.cases().items():
        yield name, values, chart.objects(values)


class Budgets(unittest.TestCase):
    def test_each_role_of_several_has_one_that_lets_nodes_be_drained(self):
        for name, _, found in cases():
            budgets = chart.of(found, "PodDisruptionBudget")
            for role in chart.ROLES:
                workload = chart.workloads(found)[role]
                labels = chart.labels_of(workload["spec"]["template"])
                own = [b for b in budgets if chart.selects(b["spec"]["selector"], labels)]
                scaler = chart.of(found, "HorizontalPodAutoscaler") + chart.of(found, "ScaledObject")
                replicas = workload["spec"].get("replicas")
                if replicas is None:
                    spec = scaler[0]["spec"]
                    replicas = spec.get("minReplicas") or spec.get("minReplicaCount")
                with self.subTest(case=name, role=role):
                    # One alone could never be moved.
                    self.assertEqual(len(own), 1 if replicas > 1 else 0)
                    if own:
                        self.assertGreaterEqual(own[0]["spec"]["maxUnavailable"], 1)
                        self.assertLess(own[0]["spec"]["maxUnavailable"], replicas)

    def test_the_voters_keeps_a_majority(self):
        for voters in [3, 5]:
            found = chart.objects(chart.least(presence={"replicas": voters}))
            budget = chart.of(found, "PodDisruptionBudget", "-presence")["spec"]
            self.assertGreater(voters - budget["maxUnavailable"], voters / 2)
            # A voter that is away already counts.
            self.assertEqual(budget["unhealthyPodEvictionPolicy"], "IfHealthyBudget")

    def test_what_does_not_work_never_holds_a_node(self):
        """Of roles that hold nothing: else one that cannot start would stop every drain."""
        for budget in chart.of(chart.objects(chart.least()), "PodDisruptionBudget"):
            if not budget["metadata"]["name"].endswith("-presence"):
                self.assertEqual(budget["spec"]["unhealthyPodEvictionPolicy"], "AlwaysAllow")

    def test_a_rollout_takes_nobody_away_before_the_new_one_is_there(self):
        for role in chart.ROLES[1:]:
            spec = chart.workloads(chart.objects(chart.least()))[role]["spec"]
            self.assertEqual(spec["strategy"]["rollingUpdate"], {"maxSurge": 1, "maxUnavailable": 0})
            self.assertGreater(spec["minReadySeconds"], 0)
            # A pod that may take ten minutes to begin is not given up before.
            startup = spec["template"]["spec"]["containers"][0]["startupProbe"]
            longest = startup["periodSeconds"] * startup["failureThreshold"]
            self.assertGreater(spec["progressDeadlineSeconds"], longest)


class Autoscaling(unittest.TestCase):
    def test_either_the_deployment_or_the_scaler_says_how_many(self):
        for name, _, found in cases():
            scalers = chart.of(found, "HorizontalPodAutoscaler") + chart.of(found, "ScaledObject")
            gateway = chart.workloads(found)["gateway"]
            with self.subTest(case=name):
                self.assertEqual("replicas" in gateway["spec"], not scalers)
                self.assertLessEqual(len(scalers), 1)
                for scaler in scalers:
                    target = scaler["spec"]["scaleTargetRef"]
                    self.assertEqual(target["name"], gateway["metadata"]["name"])
                    self.assertEqual(target["kind"], gateway["kind"])

    def test_down_is_slower_than_up(self):
        for case in ["hpa", "keda"]:
            found = chart.objects(chart.cases()[case])
            if case == "hpa":
                behavior = chart.of(found, "HorizontalPodAutoscaler")[0]["spec"]["behavior"]
            else:
                advanced = chart.of(found, "ScaledObject")[0]["spec"]["advanced"]
                behavior = advanced["horizontalPodAutoscalerConfig"]["behavior"]
            up, down = behavior["scaleUp"], behavior["scaleDown"]
            self.assertEqual(up["stabilizationWindowSeconds"], 0)
            self.assertEqual(up["selectPolicy"], "Max")
            self.assertGreaterEqual(down["stabilizationWindowSeconds"], 600)
            self.assertEqual(down["policies"], [{"type": "Pods", "value": 1, "periodSeconds": 300}])
            # One that goes has sent its people away before the next one does.
            grace = chart.workloads(found)["gateway"]["spec"]["template"]["spec"]
            self.assertGreater(300, grace["terminationGracePeriodSeconds"])

    def test_it_goes_by_the_connections_of_this_release(self):
        found = chart.objects(chart.cases()["keda"])
        trigger = chart.of(found, "ScaledObject")[0]["spec"]["triggers"][0]
        self.assertEqual(
            trigger["metadata"]["query"],
            'sum(frontdesk_gateway_connections{namespace="chat",job="fd-frontdesk"})',
        )
        found_by_keda, found = found, chart.objects(chart.cases()["hpa"])
        self.assertEqual(trigger["metadata"]["authModes"], "bearer")
        self.assertEqual(trigger["authenticationRef"], {"name": "prometheus"})
        # Else a Prometheus without a memory would be taken for a site without visitors.
        self.assertEqual(trigger["metadata"]["ignoreNullValues"], "false")
        fallback = chart.of(found_by_keda, "ScaledObject")[0]["spec"]["fallback"]
        self.assertEqual(fallback["behavior"], "currentReplicasIfHigher")
        metric = chart.of(found, "HorizontalPodAutoscaler")[0]["spec"]["metrics"][0]["pods"]
        self.assertEqual(metric["metric"]["name"], "frontdesk_gateway_connections")
        self.assertEqual(metric["target"], {"type": "AverageValue", "averageValue": "6000"})


class Voters(unittest.TestCase):
    def test_founders_are_the_first_pods_whatever_their_number_is_now(self):
        for replicas in [1, 3, 5]:
            found = chart.objects(chart.least(presence={"replicas": replicas}))
            self.assertEqual(chart.workloads(found)["presence"]["spec"]["replicas"], replicas)
            voters = chart.settings(found)["cluster"]["voters"]
            self.assertEqual([v["id"] for v in voters], [1, 2, 3])
            self.assertEqual(
                [v["address"] for v in voters],
                [
                    f"fd-frontdesk-presence-{n}.fd-frontdesk-presence.chat.svc.cluster.local:7100"
                    for n in range(3)
                ],
            )

    def test_a_founder_has_the_address_that_its_pod_gives_out(self):
        for name, _, found in cases():
            presence = chart.workloads(found)["presence"]
            container = presence["spec"]["template"]["spec"]["containers"][0]
            arguments = dict(a.split("=", 1) for a in container["args"] if "=" in a)
            for ordinal, voter in enumerate(chart.settings(found)["cluster"]["voters"]):
                pod = f"{presence['metadata']['name']}-{ordinal}"
                given = {k: v.replace("$(POD_NAME)", pod) for k, v in arguments.items()}
                with self.subTest(case=name, pod=pod):
                    self.assertEqual(given["--name"], voter["name"])
                    self.assertEqual(given["--advertise"], voter["address"])
            # The service that makes these names: also for those who are not ready.
            service = chart.of(found, "Service", "-presence")["spec"]
            self.assertEqual(service["clusterIP"], "None")
            self.assertIs(service["publishNotReadyAddresses"], True)
            self.assertIn(f".{presence['spec']['serviceName']}.", voter["address"])

    def test_their_volumes_stay(self):
        presence = chart.workloads(chart.objects(chart.least()))["presence"]["spec"]
        self.assertEqual(
            presence["persistentVolumeClaimRetentionPolicy"],
            {"whenDeleted": "Retain", "whenScaled": "Retain"},
        )
        self.assertEqual(presence["podManagementPolicy"], "Parallel")
        # One at a time: of all of them, and never more at once.
        self.assertEqual(presence["updateStrategy"]["type"], "RollingUpdate")
        rolling = presence["updateStrategy"].get("rollingUpdate", {})
        self.assertEqual((rolling.get("partition", 0), rolling.get("maxUnavailable", 1)), (0, 1))
        self.assertGreater(presence["minReadySeconds"], 0)
        claim = presence["volumeClaimTemplates"][0]
        # Two processes with one log would be two voters with one vote.
        self.assertEqual(claim["spec"]["accessModes"], ["ReadWriteOncePod"])
        mounts = {m["name"]: m["mountPath"] for m in presence["template"]["spec"]["containers"][0]["volumeMounts"]}
        self.assertEqual(mounts[claim["metadata"]["name"]], "/data")
        self.assertEqual(chart.settings(chart.objects(chart.least()))["data"], "/data")

    def test_hooks_have_them_leave_before_and_join_after(self):
        for replicas in [1, 3, 5]:
            found = chart.objects(chart.least(presence={"replicas": replicas}))
            leave = chart.of(found, "Job", "-voters-leave")
            join = chart.of(found, "Job", "-voters-join")
            hook = "helm.sh/hook"
            # A rollback changes their number like an upgrade.
            self.assertEqual(leave["metadata"]["annotations"][hook], "pre-upgrade,pre-rollback")
            # Founders need none at the install.
            behind = ["post-install"] * (replicas > 3) + ["post-upgrade", "post-rollback"]
            self.assertEqual(join["metadata"]["annotations"][hook].split(","), behind)
            for job, only in [(leave, "--only-leave"), (join, "--only-join")]:
                arguments = job["spec"]["template"]["spec"]["containers"][0]["args"]
                self.assertEqual(arguments[:4], ["ctl", "raft", "fit", only])
                addresses = [a for a in arguments[4:] if not a.startswith("--")]
                self.assertEqual(len(addresses), replicas)
                founders = [v["address"] for v in chart.settings(found)["cluster"]["voters"]]
                self.assertEqual(addresses[: len(founders)], founders[:replicas])
                # One that failed stays, to be read, until the next one takes its place.
                policy = job["metadata"]["annotations"]["helm.sh/hook-delete-policy"]
                self.assertEqual(policy, "before-hook-creation,hook-succeeded")
                self.assertGreater(job["spec"]["backoffLimit"], 0)
                # The command gives up, and says why, before the job is ended.
                waits = [int(a.split("=")[1]) for a in arguments if a.startswith("--wait=")]
                self.assertLess(waits[0], job["spec"]["activeDeadlineSeconds"])
        for name, _, found in cases():
            for one in chart.of(found, "StatefulSet") + chart.of(found, "Deployment"):
                for container in one["spec"]["template"]["spec"]["containers"]:
                    stop = container.get("lifecycle", {}).get("preStop", {})
                    # A pod that stops never changes who votes.
                    self.assertLessEqual(set(stop), {"sleep"}, name)


class Guard(unittest.TestCase):
    """The policy as the API server would evaluate it, with its own language."""

    def setUp(self):
        found = chart.objects(chart.least())
        self.policy = chart.of(found, "ValidatingAdmissionPolicy")[0]["spec"]
        self.binding = chart.of(found, "ValidatingAdmissionPolicyBinding")[0]
        self.presence = chart.workloads(found)["presence"]

    def test_it_watches_the_settings_file_too(self):
        rule = self.policy["matchConstraints"]["resourceRules"][1]
        settings = chart.of(chart.objects(chart.least()), "ConfigMap", "-settings")
        self.assertEqual((rule["apiGroups"], rule["resources"]), ([""], ["configmaps"]))
        self.assertEqual(rule["resourceNames"], [settings["metadata"]["name"]])
        # Never at the first install, when there is nobody to compare with.
        self.assertEqual(rule["operations"], ["UPDATE"])

    def test_other_founders_are_refused(self):
        """In the settings file, which Helm changes first, and at the voters themselves."""
        for kind, name in [("ConfigMap", "-settings"), ("StatefulSet", "-presence")]:
            three = chart.of(chart.objects(chart.least()), kind, name)
            five = chart.of(chart.objects(chart.least(presence={"initialVoters": 5})), kind, name)
            self.assertEqual(self.refused(three, three), [])
            said = self.refused(five, three)
            self.assertEqual(len(said), 1, kind)
            self.assertIn("presence.initialVoters", said[0])
            # Nor may the note of it be taken off; one that was never there may be made.
            bare = {**three, "metadata": {"name": three["metadata"]["name"]}}
            self.assertIn(said[0], self.refused(bare, three))
            other = {**three, "metadata": {"annotations": {"note": "kept"}}}
            self.assertIn(said[0], self.refused(other, three))
            self.assertNotIn(said[0], self.refused(three, bare))

    def test_two_releases_never_share_its_name(self):
        names = {
            (namespace, release): chart.of(
                chart.loaded_objects(chart.least(), release, namespace), "ValidatingAdmissionPolicy"
            )[0]["metadata"]["name"]
            for namespace, release in [("a", "b-frontdesk"), ("a-b", "frontdesk"), ("a", "frontdesk")]
        }
        self.assertEqual(len(set(names.values())), len(names), names)

    def refused(self, new, old):
        environment = celpy.Environment()
        said = []
        for validation in self.policy["validations"]:
            program = environment.program(environment.compile(validation["expression"]))
            context = {"object": json_to_cel(new), "oldObject": json_to_cel(old)}
            if not program.evaluate(context):
                said.append(validation["message"])
        return said

    def stateful_set(self, replicas, voters):
        return {
            "kind": "StatefulSet",
            "metadata": {"annotations": {"frontdesk/voters": voters}},
            "spec": {"replicas": replicas},
        }

    def scale(self, replicas):
        return {"kind": "Scale", "metadata": {}, "spec": {"replicas": replicas}}

    def test_it_watches_the_voters_and_their_scale(self):
        rule = self.policy["matchConstraints"]["resourceRules"][0]
        self.assertEqual(rule["resources"], ["statefulsets", "statefulsets/scale"])
        self.assertEqual(rule["resourceNames"], [self.presence["metadata"]["name"]])
        self.assertEqual(self.binding["spec"]["validationActions"], ["Deny"])
        self.assertEqual(self.policy["failurePolicy"], "Fail")
        chosen = self.binding["spec"]["matchResources"]["namespaceSelector"]["matchLabels"]
        self.assertEqual(chosen, {"kubernetes.io/metadata.name": chart.NAMESPACE})

    def test_a_release_passes(self):
        for replicas in [1, 3, 5]:
            found = chart.objects(chart.least(presence={"replicas": replicas}))
            new = chart.workloads(found)["presence"]
            self.assertEqual(self.refused(new, None), [])
            self.assertEqual(self.refused(new, self.presence), [])

    def test_kubectl_scale_is_refused(self):
        for replicas in [1, 5]:
            self.assertEqual(len(self.refused(self.scale(replicas), self.scale(3))), 1)
        for replicas in [0, 2, 4]:
            self.assertIn("1, 3 or 5", self.refused(self.scale(replicas), self.scale(3))[0])
        # The API server leaves a 0 out of a scale.
        nothing = {"kind": "Scale", "metadata": {}, "spec": {}}
        self.assertIn("1, 3 or 5", self.refused(nothing, self.scale(3))[0])
        self.assertEqual(self.refused(self.scale(3), self.scale(3)), [])

    def test_an_edit_of_the_number_alone_is_refused(self):
        said = self.refused(self.stateful_set(1, "3"), self.stateful_set(3, "3"))
        self.assertEqual(len(said), 1)
        bare = {"kind": "StatefulSet", "metadata": {}, "spec": {"replicas": 3}}
        self.assertEqual(len(self.refused(bare, None)), 1)
        self.assertIn("1, 3 or 5", self.refused(self.stateful_set(2, "2"), None)[0])
