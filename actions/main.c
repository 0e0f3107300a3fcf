#include "actions/cli/command.h"
#include "actions/cli/process.h"

int main(int argc, char **argv)
{
    process_begin();
    return sluice_main(argc, argv);
}
