#include "deploy/cloud/aws_services.h"

#include <stddef.h>
#include <string.h>

// Versions and targets are those of the services' API models. The rates stay under what the
// services allow an account in one region (Lambda's control plane: 15 a second; CloudWatch's
// GetMetricData: 50; ECS: 20 reads of services), since others of the account ask as well.
const struct aws_service aws_sts = {
    .name = "sts",
    .variable = "STS",
    .host = "sts",
    .signs_as = "sts",
    .protocol = AWS_QUERY,
    .version = "2011-06-15",
    .calls_per_second = 20,
    .burst = 20,
};

const struct aws_service aws_ecs = {
    .name = "ecs",
    .variable = "ECS",
    .host = "ecs",
    .signs_as = "ecs",
    .protocol = AWS_JSON,
    .version = "1.1",
    .target = "AmazonEC2ContainerServiceV20141113",
    .calls_per_second = 15,
    .burst = 40,
};

const struct aws_service aws_elbv2 = {
    .name = "elbv2",
    .variable = "ELASTIC_LOAD_BALANCING_V2",
    .host = "elasticloadbalancing",
    .signs_as = "elasticloadbalancing",
    .protocol = AWS_QUERY,
    .version = "2015-12-01",
    .calls_per_second = 8,
    .burst = 20,
};

const struct aws_service aws_lambda = {
    .name = "lambda",
    .variable = "LAMBDA",
    .host = "lambda",
    .signs_as = "lambda",
    .protocol = AWS_REST_JSON,
    .calls_per_second = 10,
    .burst = 10,
};

const struct aws_service aws_cloudwatch = {
    .name = "cloudwatch",
    .variable = "CLOUDWATCH",
    .host = "monitoring",
    .signs_as = "monitoring",
    .protocol = AWS_QUERY,
    .version = "2010-08-01",
    .calls_per_second = 20,
    .burst = 20,
};

const struct aws_service aws_s3 = {
    .name = "s3",
    .variable = "S3",
    .host = "s3",
    .signs_as = "s3",
    .protocol = AWS_REST_XML,
    .calls_per_second = 50,
    .burst = 50,
};

const struct aws_service aws_ecr = {
    .name = "ecr",
    .variable = "ECR",
    .host = "api.ecr",
    .signs_as = "ecr",
    .protocol = AWS_JSON,
    .version = "1.1",
    .target = "AmazonEC2ContainerRegistry_V20150921",
    .calls_per_second = 10,
    .burst = 20,
};

const struct aws_service aws_iam = {
    .name = "iam",
    .variable = "IAM",
    .host = "iam",
    .signs_as = "iam",
    .protocol = AWS_QUERY,
    .version = "2010-05-08",
    .calls_per_second = 5,
    .burst = 10,
};

const struct aws_service aws_autoscaling = {
    .name = "autoscaling",
    .variable = "AUTO_SCALING",
    .host = "autoscaling",
    .signs_as = "autoscaling",
    .protocol = AWS_QUERY,
    .version = "2011-01-01",
    .calls_per_second = 8,
    .burst = 20,
};

const struct aws_service aws_codedeploy = {
    .name = "codedeploy",
    .variable = "CODEDEPLOY",
    .host = "codedeploy",
    .signs_as = "codedeploy",
    .protocol = AWS_JSON,
    .version = "1.1",
    .target = "CodeDeploy_20141006",
    .calls_per_second = 5,
    .burst = 10,
};

const struct aws_service aws_beanstalk = {
    .name = "beanstalk",
    .variable = "ELASTIC_BEANSTALK",
    .host = "elasticbeanstalk",
    .signs_as = "elasticbeanstalk",
    .protocol = AWS_QUERY,
    .version = "2010-12-01",
    .calls_per_second = 5,
    .burst = 10,
};

const struct aws_service aws_ec2 = {
    .name = "ec2",
    .variable = "EC2",
    .host = "ec2",
    .signs_as = "ec2",
    .protocol = AWS_QUERY,
    .version = "2016-11-15",
    .calls_per_second = 10,
    .burst = 20,
};

struct aws_bucket aws_bucket_of(const struct aws_service *service, const char *action)
{
    static const struct {
        const struct aws_service *service;
        const char *action;
        struct aws_bucket bucket;
    } apart[] = {
        {&aws_ecs, "RegisterTaskDefinition", {"ecs task definitions", 1, 15}},
        {&aws_ecs, "DeregisterTaskDefinition", {"ecs task definitions", 1, 15}},
        {&aws_ecs, "UpdateService", {"ecs changes of services", 4, 30}},
        {&aws_ecs, "CreateService", {"ecs changes of services", 4, 30}},
        {&aws_ecs, "DeleteService", {"ecs changes of services", 4, 30}},
        {&aws_ecs, "StopServiceDeployment", {"ecs changes of services", 4, 30}},
    };
    for (size_t i = 0; action && i < sizeof apart / sizeof *apart; i++)
        if (apart[i].service == service && strcmp(apart[i].action, action) == 0)
            return apart[i].bucket;
    return (struct aws_bucket){service->name, service->calls_per_second, service->burst};
}
