// The services of AWS that are called, and how each wants to be asked. A new one is a row.
#ifndef DEPLOY_CLOUD_AWS_SERVICES_H
#define DEPLOY_CLOUD_AWS_SERVICES_H

#include <stdbool.h>

enum aws_protocol {
    AWS_QUERY,     // a form with Action and Version; XML answers
    AWS_JSON,      // POST / with X-Amz-Target
    AWS_REST_JSON, // method and path; JSON
    AWS_REST_XML,  // method and path; any body; XML errors: S3
};

struct aws_service {
    const char *name;     // in the configuration's endpoints: "elbv2"
    const char *variable; // AWS_ENDPOINT_URL_…: "ELASTIC_LOAD_BALANCING_V2"
    const char *host;     // "elasticloadbalancing": before .REGION.amazonaws.com
    const char *signs_as; // the service of the credential scope
    enum aws_protocol protocol;
    const char *version;     // of the query protocol: "2015-12-01"; of JSON: "1.1", "1.0"
    const char *target;      // before the action in X-Amz-Target; null = not of JSON
    double calls_per_second; // sustained, by all targets of a run together, in one region
    unsigned burst;
};

// Calls that a service counts apart from its others have a bucket of their own.
struct aws_bucket {
    const char *name; // unlike all other buckets' names
    double calls_per_second;
    unsigned burst;
};
struct aws_bucket aws_bucket_of(const struct aws_service *service, const char *action);

extern const struct aws_service aws_sts, aws_ecs, aws_elbv2, aws_lambda, aws_cloudwatch, aws_s3,
    aws_ecr, aws_iam, aws_autoscaling, aws_codedeploy, aws_beanstalk, aws_ec2;

#endif
