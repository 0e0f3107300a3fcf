#include "actions/cli/commands.h"
