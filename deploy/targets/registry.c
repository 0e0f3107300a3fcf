#include "deploy/targets/target.h"

extern const struct target_kind gcp_run_kind, gcp_mig_kind;
extern const struct target_kind hosts_kind, aws_ecs_kind, aws_lambda_kind, aws_alb_kind;

const struct target_kind *const target_kinds[] = {&hosts_kind,   &aws_ecs_kind, &aws_lambda_kind,
                                                  &aws_alb_kind, &gcp_run_kind, &gcp_mig_kind,
                                                  NULL};

const struct target_kind *target_kind_of(str name)
{
    for (size_t i = 0; target_kinds[i]; i++)
        if (str_is(name, target_kinds[i]->name))
            return target_kinds[i];
    return NULL;
}
