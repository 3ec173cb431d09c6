"""Runs what the chart renders as containers, by podman: the image, its user, roots that
are read-only, volumes, secrets, names, probes and hooks are real; there is no API server
and no scheduler. Whatever a Kubernetes adds to that is not tried here."""

import argparse
import base64
import copy
import ipaddress
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "chart"))
import chart  # noqa: E402

#: Of the range for tests between hosts: nothing of anybody's is there.
SUBNET = ipaddress.ip_network("198.19.77.0/24")
NETWORK = "frontdesk-pods"


def podman(*words, **options):
    """What podman prints; its complaint is this program's end."""
    ran = subprocess.run(["podman", *words], capture_output=True, text=True, **options)
    if ran.returncode != 0:
        raise RuntimeError(f"podman {' '.join(words)}: {ran.stdout[-3000:]}{ran.stderr[-3000:]}")
    return ran.stdout.strip()


class Pods:
    """The containers of a release, each a pod's only one, on a network of their own."""

    def __init__(self, objects, folder):
        self.objects = objects
        self.folder = Path(folder)
        self.addresses = SUBNET.hosts()
        next(self.addresses)  # the bridge's own
        self.running = {}

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        podman("network", "create", "--subnet", str(SUBNET), NETWORK)
        return self

    def __exit__(self, *_):
        for name in self.running:
            subprocess.run(["podman", "rm", "--force", "--time", "0", name], capture_output=True)
        podman("network", "rm", "--force", NETWORK)

    def kept(self, kind, name):
        """Name and content of each file in a ConfigMap or Secret."""
        one = chart.of(self.objects, kind, name)
        files = {key: text.encode() for key, text in one.get("stringData", {}).items()}
        for key, text in one.get("data", {}).items():
            files[key] = text.encode() if kind == "ConfigMap" else base64.b64decode(text)
        return files

    def volume(self, pod, spec, claims):
        """The folder that a volume of a pod's is."""
        if spec["name"] in claims:
            folder = self.folder / "claims" / f"{spec['name']}-{pod}"
        else:
            folder = self.folder / "pods" / pod / spec["name"]
        folder.mkdir(parents=True, exist_ok=True)
        kind, name = None, None
        if "configMap" in spec:
            kind, name = "ConfigMap", spec["configMap"]["name"]
        elif "secret" in spec:
            kind, name = "Secret", spec["secret"]["secretName"]
        if kind:
            source = spec.get("configMap") or spec["secret"]
            mode = source.get("defaultMode", 0o644)
            files = self.kept(kind, name)
            chosen = source.get("items") or [{"key": key, "path": key} for key in files]
            for item in chosen:
                path = folder / item["path"]
                path.write_bytes(files[item["key"]])
                path.chmod(mode)
        return folder

    def environment(self, pod, address, container):
        found = {}
        for entry in container.get("env", []):
            source = entry.get("valueFrom", {})
            if "value" in entry:
                found[entry["name"]] = entry["value"]
            elif "secretKeyRef" in source:
                ref = source["secretKeyRef"]
                found[entry["name"]] = self.kept("Secret", ref["name"])[ref["key"]].decode()
            else:
                path = source["fieldRef"]["fieldPath"]
                found[entry["name"]] = {"metadata.name": pod, "status.podIP": address}[path]
        return found

    def names(self, pod, template, workload):
        """What resolves to a pod: the services that select it, and its own name."""
        labels = chart.labels_of(template)
        for service in chart.of(self.objects, "Service"):
            selector = service["spec"].get("selector", {})
            if all(labels.get(key) == value for key, value in selector.items()):
                name = service["metadata"]["name"]
                for full in (name, f"{name}.{chart.NAMESPACE}.svc.cluster.local"):
                    yield full
                    if workload.get("serviceName") == name:
                        yield f"{pod}.{full}"

    def words(self, pod, template, workload, container, address):
        """How podman is to run one container of a pod."""
        spec = template["spec"]
        user = {**spec.get("securityContext", {}), **container.get("securityContext", {})}
        claims = [claim["metadata"]["name"] for claim in workload.get("volumeClaimTemplates", [])]
        volumes = {one["name"]: one for one in spec.get("volumes", [])}
        volumes |= {name: {"name": name} for name in claims}
        yield from ("--network", NETWORK, "--ip", address, "--hostname", pod)
        for name in self.names(pod, template, workload):
            yield from ("--network-alias", name)
        if "runAsUser" in user:
            yield from ("--user", f"{user['runAsUser']}:{user.get('runAsGroup', 0)}")
        for name in user.get("capabilities", {}).get("drop", []):
            yield from ("--cap-drop", name)
        if not user.get("allowPrivilegeEscalation", True):
            yield from ("--security-opt", "no-new-privileges")
        if user.get("readOnlyRootFilesystem"):
            yield from ("--read-only", "--read-only-tmpfs=false")
        memory = container.get("resources", {}).get("limits", {}).get("memory")
        if memory:
            yield from ("--memory", memory.replace("Mi", "m").replace("Gi", "g"))
        environment = self.environment(pod, address, container)
        for name, value in environment.items():
            yield from ("--env", f"{name}={value}")
        for mount in container.get("volumeMounts", []):
            folder = self.volume(pod, volumes[mount["name"]], claims)
            self.own(folder, user.get("fsGroup"))
            mode = "ro" if mount.get("readOnly") else "rw"
            yield from ("--volume", f"{folder.resolve()}:{mount['mountPath']}:{mode}")
        if "command" in container:
            yield from ("--entrypoint", json.dumps(container["command"]))
        yield container["image"]

        def filled(text):
            return re.sub(r"\$\((\w+)\)", lambda found: environment[found[1]], text)

        yield from (filled(word) for word in container.get("args", []))

    def own(self, folder, group):
        """What `fsGroup` does: the group may read and write."""
        if group is None:
            return
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, -1, group)
            path.chmod(path.stat().st_mode | (0o2770 if path.is_dir() else 0o060))

    def start(self, pod, template, workload):
        (container,) = template["spec"]["containers"]
        address = self.running.get(pod, {}).get("address") or str(next(self.addresses))
        words = self.words(pod, template, workload, container, address)
        podman("run", "--detach", "--restart", "on-failure", "--name", pod, *words)
        self.running[pod] = {
            "address": address, "template": template, "workload": workload, "container": container,
        }

    def start_all(self):
        """Each replica of each workload, at once as a cluster would."""
        for one in chart.of(self.objects, "StatefulSet") + chart.of(self.objects, "Deployment"):
            for ordinal in range(one["spec"]["replicas"]):
                self.start(f"{one['metadata']['name']}-{ordinal}", one["spec"]["template"], one["spec"])

    def to_the_end(self, pod, one):
        """Runs a hook: its containers one after the other, in the pod's order."""
        template = chart.pod_template(one)
        address = str(next(self.addresses))
        said = ""
        for number, container in enumerate(chart.containers(template)):
            name = f"{pod}-{number}"
            self.running[name] = {}
            words = self.words(pod, template, {}, container, address)
            said = podman("run", "--rm", "--name", name, *words)
            del self.running[name]
        return said

    def probe(self, pod, which="readinessProbe"):
        """Whether the probe that the kubelet would make is answered with success."""
        known = self.running[pod]
        probe = known["container"].get(which, {})
        if "exec" in probe:
            asked = ["podman", "exec", pod, *probe["exec"]["command"]]
            return subprocess.run(asked, capture_output=True).returncode == 0
        probe = probe["httpGet"]
        ports = {port["name"]: port["containerPort"] for port in known["container"]["ports"]}
        port = ports.get(probe["port"], probe["port"])
        try:
            url = f"http://{known['address']}:{port}{probe['path']}"
            return urllib.request.urlopen(url, timeout=3).status == 200
        except (urllib.error.URLError, OSError):
            return False

    def until_ready(self, pods=None, within=180):
        waiting = set(pods or self.running)
        until = time.monotonic() + within
        while waiting:
            waiting = {pod for pod in waiting if not self.probe(pod)}
            if waiting and time.monotonic() > until:
                said = "\n".join(f"{pod}:\n{self.log(pod)}" for pod in sorted(waiting))
                raise RuntimeError(f"not ready after {within} s:\n{said}")
            time.sleep(0.3)

    def log(self, pod, lines=15):
        ran = subprocess.run(["podman", "logs", "--tail", str(lines), pod], capture_output=True, text=True)
        return ran.stdout + ran.stderr

    def replace(self, pod):
        """What a roll does to a pod: its pre-stop wait, SIGTERM, the grace period; then
        another one. Gives the seconds from SIGTERM to its end, and what was left of them."""
        known = self.running[pod]
        spec = known["template"]["spec"]
        hook = known["container"].get("lifecycle", {}).get("preStop", {}).get("sleep", {})
        grace = spec["terminationGracePeriodSeconds"] - hook.get("seconds", 0)
        time.sleep(hook.get("seconds", 0))
        took, code = self.stop(pod, grace)
        self.start(pod, known["template"], known["workload"])
        return took, grace, code

    def stop(self, pod, grace=30):
        """Ends a pod: the seconds that took, and its exit code. Its claims stay."""
        began = time.monotonic()
        podman("stop", "--time", str(grace), pod)
        took = time.monotonic() - began
        code = int(podman("inspect", "--format", "{{.State.ExitCode}}", pod))
        podman("rm", pod)
        return took, code


#: People who talk for as long as every pod is replaced.
ROLL = """
name = "roll"
description = "Conversations go on while every pod is replaced."
purpose = "function"
seed = 1
thresholds = ["refused.count == 0"]
[[phases]]
kind = "steady"
seconds = {seconds}
conversations = 20
[agents]
count = 3
[conversation]
messages_per_second = 2.0
length_bytes = "real-messages"
"""


def release(image, secrets, voters=3):
    """What the chart renders for a small cluster with this image, and secrets beside it."""
    repository, _, tag = image.rpartition(":")
    values = chart.merged(
        chart.example("small"),
        {
            "image": {"repository": repository, "tag": tag},
            "internalTls": {"mode": "existingSecret", "existingSecret": "tls"},
            "presence": {"replicas": voters, "initialVoters": 3},
        },
        {role: {"replicas": 2} for role in ("sessions", "queueing", "routing", "desk")},
    )
    return chart.objects(values) + secrets


def secrets_with(tls):
    """What a platform team makes before it installs the chart."""
    keys = f'[{{kid="first",secret="{base64.b64encode(os.urandom(32)).decode()}"}}]'
    names = {"tls.crt": "cert.pem", "tls.key": "key.pem", "ca.crt": "ca.pem"}
    return [
        secret("frontdesk-token-keys", {"keys": keys}),
        secret("tls", {key: (tls / file).read_text() for key, file in names.items()}),
    ]


def secret(name, texts):
    return {"kind": "Secret", "metadata": {"name": name}, "stringData": texts}


def certificates(image, folder):
    """A new authority's, made by the image itself."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.chown(folder, 65532, 65532)
    podman("run", "--rm", "--volume", f"{folder.resolve()}:/data", image, "cluster", "certificates", "/data")
    return folder


def confined(pods):
    """Nobody is root, and nothing was written but to volumes."""
    for pod, known in pods.running.items():
        main = podman("inspect", "--format", "{{.State.Pid}}", pod)
        status = Path(f"/proc/{main}/status").read_text()
        users = re.search(r"^Uid:\s+(.*)$", status, re.MULTILINE)[1].split()
        meant = known["template"]["spec"]["securityContext"]["runAsUser"]
        assert meant > 0 and set(users) == {str(meant)}, f"{pod} runs as {users}"
        for powers in re.findall(r"^Cap(?:Eff|Prm|Bnd):\s+(\w+)$", status, re.MULTILINE):
            assert int(powers, 16) == 0, f"{pod} has capabilities {powers}"
        assert "NoNewPrivs:\t1" in status and "Seccomp:\t2" in status, f"{pod}:\n{status}"
        written = [line for line in podman("diff", pod).splitlines() if not mounted(line, known)]
        assert not written, f"{pod} wrote {written}"


def mounted(line, known):
    path = line.split(maxsplit=1)[1]
    within = [mount["mountPath"] for mount in known["container"].get("volumeMounts", [])]
    made = ("/etc", "/proc", "/dev", "/sys", "/run")
    return path.startswith(made) or any(at.startswith(path) or path.startswith(at) for at in within)


def rolled(pods, seconds):
    """Replaces every pod, one after the other, while people talk; the harness says at the
    end whether anything was lost, repeated or out of order."""
    test = copy.deepcopy(chart.of(pods.objects, "Pod", "chat-test"))
    pods.objects.append(
        {"kind": "ConfigMap", "metadata": {"name": "roll"}, "data": {"roll.toml": ROLL.format(seconds=seconds)}}
    )
    test["spec"]["volumes"].append({"name": "roll", "configMap": {"name": "roll"}})
    load = test["spec"]["containers"][0]
    load["volumeMounts"].append({"name": "roll", "mountPath": "/roll", "readOnly": True})
    load["args"][1] = "/roll/roll.toml"
    with ThreadPoolExecutor(1) as elsewhere:
        verdict = elsewhere.submit(pods.to_the_end, "roll", test)
        time.sleep(15)
        for pod in [pod for pod in pods.running if is_a(pods, pod, chart.ROLES)]:
            took, left, code = pods.replace(pod)
            print(f"        {pod}: ended with {code} {took:.1f} s after SIGTERM, of {left} s", flush=True)
            assert code == 0, f"{pod} ended with {code}:\n{pods.log(pod)}"
            pods.until_ready([pod])
        went_on = not verdict.done()
        said = verdict.result()
        assert went_on, f"people had stopped talking before the last pod was replaced:\n{said}"
        return said


def is_a(pods, pod, roles):
    workload = pods.running[pod].get("workload")
    return workload and workload["selector"]["matchLabels"]["app.kubernetes.io/component"] in roles


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--image", default="localhost/frontdesk:local", help="with a tag")
    words.add_argument("--folder", default="target/pods", help="for volumes; made anew")
    words.add_argument("--seconds", type=int, default=420, help="how long people talk while pods are replaced")
    told = words.parse_args()
    folder = Path(told.folder)
    secrets = secrets_with(certificates(told.image, folder / "tls"))
    passed, failed = 0, 0
    with Pods(release(told.image, secrets), folder / "volumes") as pods:
        pods.start_all()
        steps = [
            ("every pod becomes ready", lambda: pods.until_ready()),
            ("helm's test: people chat across two gateways", lambda: helm_test(pods)),
            ("no pod is root's or writes but to its volumes", lambda: confined(pods)),
            ("an upgrade's hooks find nothing to do", lambda: upgraded(pods, told.image, secrets, 3)),
            ("an upgrade to five voters", lambda: upgraded(pods, told.image, secrets, 5)),
            ("and back to three", lambda: upgraded(pods, told.image, secrets, 3)),
            ("every pod is replaced while people talk", lambda: rolled(pods, told.seconds)),
        ]
        for name, step in steps:
            try:
                said = step()
                passed += 1
                print(f"ok      {name}", flush=True)
            except (AssertionError, RuntimeError) as error:
                failed += 1
                said = None
                print(f"FAILED  {name}\n{error}", flush=True)
            if said:
                print("\n".join(f"        {line}" for line in said.splitlines()[-12:]), flush=True)
    print(f"\n{passed} passed, {failed} failed")
    return int(failed > 0)


def helm_test(pods):
    return pods.to_the_end("chat-test", chart.of(pods.objects, "Pod", "chat-test"))


def upgraded(pods, image, secrets, voters):
    """What `helm upgrade` does to the voters: its hooks, and the pods between them. Says
    who votes then."""
    pods.objects = release(image, secrets, voters)
    presence = chart.of(pods.objects, "StatefulSet", "-presence")
    meant = [f"{presence['metadata']['name']}-{ordinal}" for ordinal in range(voters)]
    hook(pods, "leave")
    for pod in [pod for pod in pods.running if is_a(pods, pod, {"presence"}) and pod not in meant]:
        pods.stop(pod)
        del pods.running[pod]
    for pod in [pod for pod in meant if pod not in pods.running]:
        pods.start(pod, presence["spec"]["template"], presence["spec"])
    pods.until_ready(meant)
    said = hook(pods, "join")
    who = json.loads(re.search(r"voters (\[.*\])", said)[1])
    assert len(who) == voters, said
    return said


def hook(pods, way):
    return pods.to_the_end(f"voters-{way}", chart.of(pods.objects, "Job", f"-voters-{way}"))


if __name__ == "__main__":
    sys.exit(main())
