"""What a platform adds to a chart: values that several cases and tests share."""

#: Who may ask the health port: a scraper, and a balancer that probes pods itself.
SCRAPERS = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
BALANCERS = [{"ipBlock": {"cidr": "10.9.0.0/16"}}]

#: Series that somebody does not want.
DROP = {"sourceLabels": ["__name__"], "regex": "frontdesk_bus_.*", "action": "drop"}

#: What somebody puts beside a role's container.
BESIDE = {
    "image": "proxy:1",
    "resources": {"requests": {"memory": "16Mi"}, "limits": {"memory": "32Mi"}},
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
}
ADDITIONS = {
    "annotations": {"reloader.stakater.com/auto": "true"},
    "extraEnvFrom": [{"configMapRef": {"name": "proxies"}}],
    "extraVolumes": [{"name": "more", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
    "extraInitContainers": [{"name": "database-proxy", "restartPolicy": "Always", **BESIDE}],
    "extraContainers": [{"name": "shipper", **BESIDE}],
}
