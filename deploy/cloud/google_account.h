// As which Google identity the APIs are called, and where they are. Null members come from the
// environment, as with the provider's own libraries.
#ifndef DEPLOY_CLOUD_GOOGLE_ACCOUNT_H
#define DEPLOY_CLOUD_GOOGLE_ACCOUNT_H

#include "deploy/cloud/cloud.h"

struct google_account {  // copied; two equal ones share one identity
    const char *project; // of what names none; null: nobody says
    // A service-account key, an external_account file (Workload Identity Federation) or an
    // authorized_user file. Null: GOOGLE_APPLICATION_CREDENTIALS, gcloud's application default
    // file, the metadata server.
    const char *credentials_file;
    // "projects/N/locations/global/workloadIdentityPools/POOL/providers/PROVIDER": the runner's
    // OIDC token is exchanged there, without any file. Null = the file decides.
    const char *workload_identity_provider;
    // Impersonated afterwards: "deploy@project.iam.gserviceaccount.com". Null = none, or as the
    // external_account file says.
    const char *service_account;
    const char *scope;                      // null: https://www.googleapis.com/auth/cloud-platform
    const struct cloud_endpoint *endpoints; // by API; null: CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN, …
                                            // "sts", "iamcredentials" and "oauth2" as well
};

#endif
