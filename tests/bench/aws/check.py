"""AWS's own client against the bench: what boto3 sends passes, what was damaged does not.

    check.py PORT      prints {"passed": {NAME: WORDS}, "refused": {NAME: CODE}}
"""

import datetime
import http.client
import json
import sys

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials

PORT = int(sys.argv[1])
URL = f"http://127.0.0.1:{PORT}"
KEYS = {"aws_access_key_id": "AKIABENCH", "aws_secret_access_key": "bench/secret+key"}
FORM = "application/x-www-form-urlencoded"
QUERY = "MetricDataQueries.member.1."
GOOD = (
    "Action=GetMetricData&Version=2010-08-01&StartTime=2027-01-01T00%3A00%3A00Z"
    f"&EndTime=2027-01-01T00%3A01%3A00Z&{QUERY}Id=a&{QUERY}MetricStat.Metric.Namespace=Learn"
    f"&{QUERY}MetricStat.Metric.MetricName=Requests&{QUERY}MetricStat.Period=60"
    f"&{QUERY}MetricStat.Stat=Sum"
)


def client(name, **keys):
    return boto3.client(name, region_name="eu-west-1", endpoint_url=URL, **(keys or KEYS))


def passed():
    cloudwatch, now = client("cloudwatch"), datetime.datetime.now(datetime.timezone.utc)
    cloudwatch.put_metric_data(
        Namespace="Learn", MetricData=[{"MetricName": "Requests", "Value": 3, "Timestamp": now}]
    )
    data = cloudwatch.get_metric_data(
        StartTime=now - datetime.timedelta(minutes=2),
        EndTime=now + datetime.timedelta(minutes=2),
        MetricDataQueries=[{
            "Id": "a",
            "MetricStat": {
                "Metric": {"Namespace": "Learn", "MetricName": "Requests"},
                "Period": 60, "Stat": "Sum",
            },
        }],
    )
    role = client("sts").assume_role(
        RoleArn="arn:aws:iam::123456789012:role/release", RoleSessionName="check"
    )["Credentials"]
    granted = client(
        "sts", aws_access_key_id=role["AccessKeyId"], aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    )
    return {
        "GetMetricData": data["MetricDataResults"][0]["Values"],
        "GetCallerIdentity": granted.get_caller_identity()["Arn"],
    }


def send(body, headers=None, secret=KEYS["aws_secret_access_key"], damage=None):
    """Signs by hand, so that what botocore would never send is sent; the code that came back."""
    request = botocore.awsrequest.AWSRequest(
        "POST", URL + "/", data=body, headers={"Content-Type": FORM, **(headers or {})}
    )
    credentials = botocore.credentials.Credentials(KEYS["aws_access_key_id"], secret)
    botocore.auth.SigV4Auth(credentials, "monitoring", "eu-west-1").add_auth(request)
    headers = dict(request.headers)
    if damage:
        body = damage(body, headers)
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse().read().decode()
    connection.close()
    return answer.partition("<Code>")[2].partition("</Code>")[0] or "passed"


def drop_date(body, headers):
    headers["X-Amz-Date"] = "20200101T000000Z"
    return body


def add_header(body, headers):
    headers["X-Amz-Meta"] = "unsigned"
    return body


def drop_signature(body, headers):
    del headers["Authorization"]
    return body


def refused():
    return {
        "as it is": send(GOOD),
        "another body": send(GOOD, damage=lambda body, headers: body.replace("Sum", "Min")),
        "another secret": send(GOOD, secret="wrong"),
        "another date": send(GOOD, damage=drop_date),
        "a header that is not signed": send(GOOD, damage=add_header),
        "no signature": send(GOOD, damage=drop_signature),
        "an unknown member": send(GOOD + "&Lag=2"),
        "a misspelt member": send(GOOD.replace("MetricName", "Metricname")),
        "a number that is none": send(GOOD.replace("Period=60", "Period=1m")),
        "a number that is too small": send(GOOD.replace("Period=60", "Period=0")),
        "a list with a gap": send(GOOD.replace("member.1", "member.2")),
        "a member that is missing": send(GOOD.replace(f"&{QUERY}MetricStat.Stat=Sum", "")),
        "a word that is not in its list": send(GOOD + f"&{QUERY}MetricStat.Unit=Ticks"),
        "a moment that is none": send(GOOD.replace("StartTime=2027", "StartTime=soon")),
        "another version": send(GOOD.replace("2010-08-01", "2012-06-01")),
        "an action that there is not": send(GOOD.replace("GetMetricData", "GetMetrics")),
        "another type of content": send(GOOD, {"Content-Type": "text/plain"}),
    }


print(json.dumps({"passed": passed(), "refused": refused()}))
