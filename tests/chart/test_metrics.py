"""Every series that an alert or a dashboard names is one that the binary writes."""

import json
import re
import unittest

import promql_parser
import yaml

import chart

#: Of the scraper itself.
OTHERS = {"up": ("gauge", {})}
#: What the scraper adds to every series; `role` comes from the ServiceMonitor.
TARGET = {"namespace", "job", "pod", "instance", "role"}
#: The binary's own list; tests/tests/tidy compares it with the catalog in the sources.
CATALOG = chart.ROOT / "services/telemetry/METRICS.md"
ROW = re.compile(r"\| `(\w+)` \| (counter|gauge|histogram) \| \w* \| (.*?) \| (.+) \|")


def written():
    """Name, kind and labels, with their values, of what the binary writes in a cluster."""
    found = {}
    for name, kind, labels, text in ROW.findall(CATALOG.read_text()):
        # SQLite's journal is for one process alone.
        if text.endswith("of the embedded journal."):
            continue
        named = re.findall(r"`(\w+)`: ([^;]+)", labels)
        found[name] = (kind, {label: set(values.split(", ")) for label, values in named})
    return {**found, **OTHERS}


def selectors(expression):
    """The series that an expression names, and the labels it goes by: by visiting its tree."""
    names, labels = [], set()

    def visit(node):
        if isinstance(node, promql_parser.VectorSelector):
            names.append((node.name, {m.name: m.value for m in node.matchers.matchers}))
        elif isinstance(node, promql_parser.AggregateExpr) and node.modifier:
            labels.update(node.modifier.labels)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return names, labels


def alerts():
    rules = chart.of(chart.objects(chart.cases()["metrics"]), "PrometheusRule")[0]
    return [rule for group in rules["spec"]["groups"] for rule in group["rules"]]


def dashboards():
    maps = chart.of(chart.objects(chart.cases()["metrics"]), "ConfigMap")
    return {
        file: json.loads(text)
        for one in maps
        for file, text in one["data"].items()
        if file.endswith(".json")
    }


def expressions():
    """All there are, with where they stand."""
    for rule in alerts():
        yield rule["alert"], rule["expr"]
    for file, dashboard in dashboards().items():
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                yield f"{file}: {panel['title']}", target["expr"].replace("$__rate_interval", "5m")
        for variable in dashboard["templating"]["list"]:
            query = variable["query"]
            if isinstance(query, dict):
                inner = re.fullmatch(r"label_values\((.+), (\w+)\)", query["query"])
                assert inner, query
                yield f"{file}: ${variable['name']}", inner[1]
    for case in ["keda"]:
        trigger = chart.of(chart.objects(chart.cases()[case]), "ScaledObject")[0]
        yield "ScaledObject", trigger["spec"]["triggers"][0]["metadata"]["query"]


class Metrics(unittest.TestCase):
    def test_the_catalog_is_understood(self):
        """Every row of it is read: else the next test proves nothing."""
        found = written()
        rows = [line for line in CATALOG.read_text().splitlines() if line.startswith("| `")]
        embedded = [line for line in rows if line.endswith("of the embedded journal. |")]
        self.assertEqual(len(found), len(rows) - len(embedded) + len(OTHERS))
        self.assertGreater(len(found), 80)
        carriers = {"ws_protobuf", "ws_json", "grpc"}
        self.assertEqual(found["frontdesk_gateway_connections"], ("gauge", {"carrier": carriers}))
        self.assertEqual(set(found["frontdesk_queueing_unserved_total"][1]), {"reason", "answer"})

    def test_every_expression_names_series_that_are_written(self):
        found = written()
        count = 0
        for where, expression in expressions():
            with self.subTest(where=where):
                names, by = selectors(expression)
                self.assertTrue(names, expression)
                own = set()
                for name, matchers in names:
                    base = re.sub(r"_(bucket|sum|count)$", "", name)
                    if name not in found:
                        self.assertIn(base, found)
                        self.assertEqual(found[base][0], "histogram", name)
                        own.add("le")
                    else:
                        # A histogram has no series of its own name.
                        self.assertNotEqual(found[name][0], "histogram", name)
                        base = name
                    labels = found[base][1]
                    own |= set(labels)
                    self.assertLessEqual(set(matchers), TARGET | set(labels), name)
                    for label, value in matchers.items():
                        if label in labels:
                            self.assertIn(value, labels[label], name)
                    count += 1
                self.assertLessEqual(by, TARGET | own)
        self.assertGreater(count, 60)

    def test_rates_are_of_counters_and_quantiles_of_histograms(self):
        found = written()
        for where, expression in expressions():
            def visit(node, where=where):
                if not isinstance(node, promql_parser.Call) or node.func.name not in ("rate", "increase"):
                    return
                inner = node.args[0] if isinstance(node.args, list) else node.args.args[0]
                name = inner.vector_selector.name
                base = re.sub(r"_(bucket|sum|count)$", "", name)
                kind = found.get(name, found.get(base))[0]
                with self.subTest(where=where):
                    self.assertIn(kind, {"counter", "histogram"}, name)

            promql_parser.walk(promql_parser.parse(expression), visit)

    def test_alerts_are_of_this_release_and_say_what_to_do(self):
        for rule in alerts():
            with self.subTest(alert=rule["alert"]):
                for name, matchers in selectors(rule["expr"])[0]:
                    self.assertEqual(matchers["namespace"], chart.NAMESPACE, name)
                    self.assertEqual(matchers["job"], "fd-frontdesk", name)
                self.assertIn(rule["labels"]["severity"], {"critical", "warning"})
                # Sums have lost whose they are.
                self.assertEqual(rule["labels"]["namespace"], chart.NAMESPACE)
                self.assertEqual(rule["labels"]["job"], "fd-frontdesk")
                self.assertTrue(rule["annotations"]["summary"])
                self.assertTrue(rule["annotations"]["description"].endswith("."))
                # One that is about a rate or a quantile may come and go within a scrape.
                if "increase(" not in rule["expr"] and "delta(" not in rule["expr"]:
                    self.assertIn("for", rule)

    def test_no_two_alerts_are_taken_for_one(self):
        """By the labels that every alert of a rule has, of this release and another."""
        others = chart.loaded_objects(chart.cases()["metrics"], "other", "elsewhere")
        [other] = chart.of(others, "PrometheusRule")
        of_other = [rule for group in other["spec"]["groups"] for rule in group["rules"]]
        seen = [json.dumps([r["alert"], r["labels"]], sort_keys=True) for r in alerts() + of_other]
        self.assertEqual(len(seen), len(set(seen)))

    def test_alerts_go_by_how_much_there_is(self):
        values = {"presence": {"replicas": 5}, "gateway": {"connectionsPerPod": 2000}}
        values["monitoring"] = {"rules": {"enabled": True, "labels": {"release": "p"}, "alertLabels": {"team": "chat"}}}
        [rules] = chart.of(chart.objects(chart.least(**values)), "PrometheusRule")
        self.assertEqual(rules["metadata"]["labels"]["release"], "p")
        by_name = {r["alert"]: r for group in rules["spec"]["groups"] for r in group["rules"]}
        self.assertTrue(by_name["FrontdeskVoterMissing"]["expr"].endswith("< 5"))
        self.assertIn("of 5 voters", by_name["FrontdeskVoterMissing"]["annotations"]["description"])
        self.assertTrue(by_name["FrontdeskGatewayNearlyFull"]["expr"].endswith("> 1700"))
        self.assertEqual({r["labels"]["team"] for r in by_name.values()}, {"chat"})

    def test_alerts_can_be_left_out_by_name(self):
        def rules(*disabled):
            values = {"rules": {"enabled": True, "disabled": list(disabled)}}
            [one] = chart.of(chart.objects(chart.least(monitoring=values)), "PrometheusRule")
            return {r["alert"] for group in one["spec"]["groups"] for r in group["rules"]}

        out = {"FrontdeskWaitsLong", "FrontdeskRoleGone"}
        self.assertEqual(rules() - rules(*out), out)
        with self.assertRaisesRegex(Exception, "there is no alert FrontdeskWaitLong"):
            rules("FrontdeskWaitLong")

    def test_series_can_be_dropped(self):
        [monitor] = chart.of(chart.objects(chart.cases()["metrics"]), "ServiceMonitor")
        self.assertEqual(monitor["spec"]["endpoints"][0]["metricRelabelings"], [chart.DROP])

    def test_budgets_burn_in_two_windows(self):
        """A short one to end the alert soon, a long one not to begin it for nothing."""
        for alert, windows in {
            "FrontdeskSendsFail": {"5m", "1h"},
            "FrontdeskSendsFailSlowly": {"30m", "6h"},
        }.items():
            [rule] = [r for r in alerts() if r["alert"] == alert]
            self.assertEqual(set(re.findall(r"\[(\w+)\]", rule["expr"])), windows)
            limits = set(re.findall(r"> ([\d.]+)", rule["expr"]))
            self.assertEqual(len(limits), 1)

    def test_the_runbook_has_a_section_for_each_alert_and_no_other(self):
        """With what it means and what to do, under the anchor that `runbook_url` names."""
        text = (chart.CHART / "RUNBOOK.md").read_text()
        sections = dict(re.findall(r"^### (Frontdesk\w+)\n(.*?)(?=^##|\Z)", text, re.M | re.S))
        named = [rule["alert"] for rule in alerts()]
        self.assertEqual(list(sections), list(dict.fromkeys(named)), "in the order of the rules")
        for alert, section in sections.items():
            with self.subTest(alert=alert):
                for part in ["**Means.**", "**Look.**", "**Do.**"]:
                    self.assertRegex(section, re.escape(part) + r" \S.{20,}", part)
        values = chart.merged(
            chart.cases()["metrics"], {"monitoring": {"rules": {"runbookBase": "https://r.example/#"}}}
        )
        [rules] = chart.of(chart.objects(values), "PrometheusRule")
        for rule in (r for group in rules["spec"]["groups"] for r in group["rules"]):
            self.assertEqual(rule["annotations"]["runbook_url"], "https://r.example/#" + rule["alert"].lower())

    def test_the_runbook_names_series_that_are_written(self):
        text = (chart.CHART / "RUNBOOK.md").read_text()
        named = set(re.findall(r"`((?:frontdesk|process)_\w+)", text))
        self.assertGreater(len(named), 5)
        self.assertLessEqual(named, set(written()))

    def test_the_job_is_what_the_monitor_makes_it(self):
        found = chart.objects(chart.cases()["metrics"])
        monitor = chart.of(found, "ServiceMonitor")[0]["spec"]
        service = chart.of(found, "Service", "-metrics")
        self.assertEqual(service["metadata"]["labels"][monitor["jobLabel"]], "fd-frontdesk")
        self.assertTrue(chart.selects(monitor["selector"], service["metadata"]["labels"]))
        others = [s for s in chart.of(found, "Service") if s is not service]
        self.assertFalse([s for s in others if chart.selects(monitor["selector"], s["metadata"]["labels"])])
        self.assertEqual(monitor["endpoints"][0]["port"], service["spec"]["ports"][0]["name"])
        # Whoever does not get ready is the one to look at.
        self.assertIs(service["spec"]["publishNotReadyAddresses"], True)
        served = (chart.ROOT / "services/node/src/ops/mod.rs").read_text()
        self.assertIn(f'.route("{monitor["endpoints"][0]["path"]}", get(', served)
        self.assertEqual(monitor["namespaceSelector"], {"matchNames": [chart.NAMESPACE]})
        relabeled = monitor["endpoints"][0]["relabelings"][0]
        self.assertEqual(relabeled["targetLabel"], "role")
        pod = chart.labels_of(chart.workloads(found)["gateway"]["spec"]["template"])
        self.assertEqual(pod["app.kubernetes.io/component"], "gateway")

    def test_labels_in_texts_are_there(self):
        for rule in alerts():
            _, by = selectors(rule["expr"])
            used = set(re.findall(r"\$labels\.(\w+)", yaml.safe_dump(rule["annotations"])))
            known = TARGET if not by else by
            self.assertLessEqual(used, known, rule["alert"])

    def test_grafana_finds_the_dashboards(self):
        own = {"monitoring": {"dashboards": {"labels": {"of": "grafana"}, "annotations": {"folder": "Chat"}}}}
        usual = chart.of(chart.objects(chart.cases()["metrics"]), "ConfigMap")
        other = chart.of(chart.objects(chart.merged(chart.cases()["metrics"], own)), "ConfigMap")
        for found, label in [(usual, ("grafana_dashboard", "1")), (other, ("of", "grafana"))]:
            maps = [m for m in found if "-dashboard-" in m["metadata"]["name"]]
            self.assertEqual(len(maps), 2)
            for one in maps:
                self.assertEqual(one["metadata"]["labels"].get(label[0]), label[1])
                [file] = one["data"]
                # The sidecar puts all of them into one folder.
                self.assertTrue(file.startswith("frontdesk-") and file.endswith(".json"))
        self.assertEqual(maps[0]["metadata"]["annotations"], {"folder": "Chat"})

    def test_dashboards_are_whole(self):
        self.assertEqual(len(dashboards()), 2)
        for file, dashboard in dashboards().items():
            ids = [panel["id"] for panel in dashboard["panels"]]
            self.assertEqual(len(ids), len(set(ids)), file)
            # Grafana's own names for sources differ: the one that is chosen above is used.
            uids = set(re.findall(r'"uid": "([^"]*)"', json.dumps(dashboard["panels"])))
            self.assertEqual(uids, {"${datasource}"}, file)
            self.assertEqual(dashboard["templating"]["list"][0]["type"], "datasource")
            for panel in dashboard["panels"]:
                for target in panel.get("targets", []):
                    for _, matchers in selectors(target["expr"].replace("$__rate_interval", "5m"))[0]:
                        self.assertEqual((matchers["namespace"], matchers["job"]), ("$namespace", "$job"))
                # A number that may be wrong is coloured when it is.
                if panel["type"] == "stat":
                    self.assertTrue(panel["fieldConfig"]["defaults"]["thresholds"]["steps"], panel["title"])
            variables = {v["name"] for v in dashboard["templating"]["list"]}
            self.assertEqual(variables, {"datasource", "namespace", "job"})
            places = set()
            for panel in dashboard["panels"]:
                self.assertTrue(panel["title"])
                place = panel["gridPos"]
                self.assertLessEqual(place["x"] + place["w"], 24)
                for x in range(place["x"], place["x"] + place["w"]):
                    for y in range(place["y"], place["y"] + place["h"]):
                        self.assertNotIn((x, y), places, panel["title"])
                        places.add((x, y))
