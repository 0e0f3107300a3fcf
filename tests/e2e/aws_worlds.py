"""What there is in an account before a test begins, on the bench (tests/bench/aws): services behind
a weighted rule, a function with an alias, machines behind a balancer. All of it is made, and can
be asked for, through the vendor's own client.
"""

import hashlib
import io
import json
import subprocess
import time
import zipfile

from conftest import ROOT, end

APP = ROOT / "tests/bench/aws/app.py"
TASK_ROLE = "arn:aws:iam::123456789012:role/learn-task"
EXECUTION_ROLE = "arn:aws:iam::123456789012:role/learn-execution"


def manifest(release, environment):
    """An image of the bench: what comes with it, and nothing else (tests/bench/aws/registry.py)."""
    return json.dumps({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.empty.v1+json", "size": 2, "data": "e30=",
            "digest": "sha256:" + hashlib.sha256(b"{}").hexdigest(),
        },
        "layers": [],
        "annotations": {"RELEASE": release, **environment},
    }, sort_keys=True)


class EcsWorld:
    """A cluster with two services, each with its target group, behind one weighted rule; v1 serves
    on blue, and green has no tasks. Names begin with `name`; `url` is where visitors come in."""

    def __init__(self, bench, name="web", cluster="learn", count=2, breaker=True):
        self.bench, self.name, self.cluster, self.breaker = bench, name, cluster, breaker
        self.ecs, self.elb, self.ecr = (bench.client(one) for one in ("ecs", "elbv2", "ecr"))
        self.repository = self.ecr.create_repository(
            repositoryName=f"{cluster}/{name}"
        )["repository"]
        self.uri = self.repository["repositoryUri"]
        self.blue, self.green = f"{name}-blue", f"{name}-green"
        self.groups = {service: self.make_group(service) for service in (self.blue, self.green)}
        self.balancer = self.elb.create_load_balancer(
            Name=f"{cluster}-{name}", Subnets=bench.network["subnets"]
        )["LoadBalancers"][0]
        self.listener = self.elb.create_listener(
            LoadBalancerArn=self.balancer["LoadBalancerArn"], Protocol="HTTP", Port=8080,
            DefaultActions=self.forward(1, 0),
        )["Listeners"][0]["ListenerArn"]
        self.rule = self.elb.create_rule(
            ListenerArn=self.listener, Priority=10, Actions=self.forward(100, 0),
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
        )["Rules"][0]["RuleArn"]
        self.url = bench.listener_url(self.listener)
        self.ecs.create_cluster(clusterName=cluster)
        self.first = self.push("v1")
        self.definition = self.define(self.first)
        self.make_service(self.blue, count)
        self.make_service(self.green, 0)
        self.settled(self.blue)

    def make_group(self, service):
        return self.elb.create_target_group(
            Name=service, Protocol="HTTP", Port=8080, VpcId=self.bench.network["vpc"],
            TargetType="ip", HealthCheckPath="/health", HealthyThresholdCount=2,
            UnhealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]

    def make_service(self, service, count):
        self.ecs.create_service(
            cluster=self.cluster, serviceName=service, taskDefinition=self.definition,
            desiredCount=count,
            loadBalancers=[{
                "targetGroupArn": self.groups[service],
                "containerName": "web", "containerPort": 8080,
            }],
            deploymentConfiguration={
                "deploymentCircuitBreaker": {"enable": self.breaker, "rollback": self.breaker},
            },
        )

    def push(self, release, **environment):
        """An image with that tag; `environment` is what comes with it (tests/bench/aws/app.py).
        Gives its digest."""
        return self.ecr.put_image(
            repositoryName=self.repository["repositoryName"], imageTag=release,
            imageManifest=manifest(release, environment),
        )["image"]["imageId"]["imageDigest"]

    def define(self, digest, **more):
        """A task definition that runs the image; gives its ARN."""
        return self.ecs.register_task_definition(
            family=self.name, taskRoleArn=TASK_ROLE, executionRoleArn=EXECUTION_ROLE,
            containerDefinitions=[{
                "name": "web", "image": f"{self.uri}@{digest}", "memory": 64, "essential": True,
                "portMappings": [{"containerPort": 8080}], **more,
            }],
        )["taskDefinition"]["taskDefinitionArn"]

    def forward(self, blue, green):
        return [{"Type": "forward", "ForwardConfig": {"TargetGroups": [
            {"TargetGroupArn": self.groups[service], "Weight": weight}
            for service, weight in ((self.blue, blue), (self.green, green))
        ]}}]

    def weigh(self, blue, green):
        self.elb.modify_rule(RuleArn=self.rule, Actions=self.forward(blue, green))

    def weights(self):
        """Of blue and green, as the rule has them."""
        rule = self.elb.describe_rules(RuleArns=[self.rule])["Rules"][0]
        groups = rule["Actions"][-1]["ForwardConfig"]["TargetGroups"]
        told = {group["TargetGroupArn"]: group["Weight"] for group in groups}
        return tuple(told.get(self.groups[service], 0) for service in (self.blue, self.green))

    def service(self, service):
        return self.ecs.describe_services(cluster=self.cluster, services=[service])["services"][0]

    def digest(self, service):
        """Of the image that the service's PRIMARY deployment runs."""
        found = self.ecs.describe_task_definition(
            taskDefinition=self.service(service)["taskDefinition"]
        )["taskDefinition"]["containerDefinitions"][0]["image"]
        return found.partition("@")[2]

    def health(self, service):
        told = self.elb.describe_target_health(TargetGroupArn=self.groups[service])
        return sorted(
            target["TargetHealth"]["State"] for target in told["TargetHealthDescriptions"]
        )

    def settled(self, service, seconds=30):
        """Waits until one deployment is left, COMPLETED or FAILED; gives the service."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            told = self.service(service)
            deployments = told["deployments"]
            if deployments[0]["rolloutState"] != "IN_PROGRESS" and (
                len(deployments) == 1 and told["runningCount"] == told["desiredCount"]
                or deployments[0]["rolloutState"] == "FAILED"
            ):
                return told
            time.sleep(0.1)
        raise AssertionError(f"{service} does not settle: {told}")


HANDLER = """\
import os, random

def handler(event, context):
    if random.random() < {errors}:
        raise RuntimeError("of {release}")
    return {{"statusCode": 200, "body": "{release}", "headers": {{"X-Release": "{release}"}}}}
"""


def archive(release, errors=0.0):
    """A function's code, as a ZIP that has the same bytes whenever it is made."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        code = HANDLER.format(release=release, errors=errors)
        made.writestr(zipfile.ZipInfo("handler.py", (2027, 1, 1, 0, 0, 0)), code)
    return out.getvalue()


class LambdaWorld:
    """A function whose alias `live` is at version 1, which is v1, from a bucket with versions of
    its objects; `url` invokes the alias."""

    def __init__(self, bench, function="thumbs", alias="live", bucket="learn"):
        self.bench, self.function, self.alias, self.bucket = bench, function, alias, bucket
        self.client, self.s3 = bench.client("lambda"), bench.client("s3")
        buckets = [one["Name"] for one in self.s3.list_buckets().get("Buckets", [])]
        if bucket not in buckets:
            self.s3.create_bucket(
                Bucket=bucket, CreateBucketConfiguration={
                    "LocationConstraint": self.s3.meta.region_name
                }
            )
            self.s3.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
            )
        self.put("v1")
        self.client.create_function(
            FunctionName=function, Runtime="python3.12", Handler="handler.handler",
            Role="arn:aws:iam::123456789012:role/thumbs",
            Code={"S3Bucket": bucket, "S3Key": self.key("v1")}, Timeout=10,
        )
        self.settled()
        self.first = self.client.publish_version(FunctionName=function)["Version"]
        self.client.create_alias(FunctionName=function, Name=alias, FunctionVersion=self.first)
        self.url = f"{bench.ask('/told')['lambda']}/{function}/{alias}"

    def key(self, release):
        return f"{self.function}-{release}.zip"

    def put(self, release, errors=0.0):
        """The release's archive, at s3://BUCKET/FUNCTION-RELEASE.zip."""
        body = archive(release, errors)
        self.s3.put_object(Bucket=self.bucket, Key=self.key(release), Body=body)
        return body

    def settled(self, seconds=20):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            told = self.client.get_function_configuration(FunctionName=self.function)
            if told["State"] == "Active" and told["LastUpdateStatus"] != "InProgress":
                return told
            time.sleep(0.05)
        raise AssertionError(f"{self.function} does not settle: {told}")

    def serving(self):
        """The alias' shares by version."""
        told = self.client.get_alias(FunctionName=self.function, Name=self.alias)
        weights = told.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        return {told["FunctionVersion"]: 1 - sum(weights.values()), **weights}

    def sha256(self, version):
        return self.client.get_function_configuration(
            FunctionName=self.function, Qualifier=version
        )["CodeSha256"]


class AlbWorld:
    """Machines that somebody else deploys, in two target groups behind one weighted rule: v1 on two
    of blue, and nothing on green. `url` is where visitors come in."""

    def __init__(self, bench, name="machines"):
        self.bench, self.elb = bench, bench.client("elbv2")
        self.blue, self.green = f"{name}-blue", f"{name}-green"
        self.groups = {group: self.make_group(group) for group in (self.blue, self.green)}
        self.balancer = self.elb.create_load_balancer(
            Name=name, Subnets=bench.network["subnets"]
        )["LoadBalancers"][0]
        self.listener = self.elb.create_listener(
            LoadBalancerArn=self.balancer["LoadBalancerArn"], Protocol="HTTP", Port=8080,
            DefaultActions=self.forward(1, 0),
        )["Listeners"][0]["ListenerArn"]
        self.rule = self.elb.create_rule(
            ListenerArn=self.listener, Priority=10, Actions=self.forward(100, 0),
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/*"]}}],
        )["Rules"][0]["RuleArn"]
        self.url = bench.listener_url(self.listener)
        self.machines = {group: [] for group in self.groups}
        for _ in range(2):
            self.start(self.blue, "v1")
        self.healthy(self.blue, 2)

    make_group, forward = EcsWorld.make_group, EcsWorld.forward
    weigh, weights, health = EcsWorld.weigh, EcsWorld.weights, EcsWorld.health

    def start(self, group, release, **environment):
        """Another machine of the group (tests/bench/aws/app.py); gives its process."""
        address = self.bench.address()
        child = subprocess.Popen(
            [self.bench.python, APP], stdin=subprocess.PIPE,
            env={"HOST": address, "PORT": "8080", "RELEASE": release, **environment},
        )
        self.machines[group].append((child, address))
        self.elb.register_targets(
            TargetGroupArn=self.groups[group], Targets=[{"Id": address, "Port": 8080}]
        )
        return child

    def clear(self, group):
        """Its machines leave and end."""
        for child, address in self.machines[group]:
            self.elb.deregister_targets(
                TargetGroupArn=self.groups[group], Targets=[{"Id": address, "Port": 8080}]
            )
            end(child)
            child.stdin.close()
        self.machines[group] = []

    def healthy(self, group, count, seconds=20):
        until = time.monotonic() + seconds
        while self.health(group) != ["healthy"] * count:
            assert time.monotonic() < until, self.health(group)
            time.sleep(0.1)

    def stop(self):
        for group in self.machines:
            self.clear(group)
