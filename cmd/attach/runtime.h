/* An OCI runtime for Docker: it runs the real runtime, and attaches the container that was created,
 * before its first process runs. Docker knows no hooks. */
#ifndef CMD_ATTACH_RUNTIME_H
#define CMD_ATTACH_RUNTIME_H

#include <stdbool.h>

/* Whether the program was started as the runtime: by the name mvapply-runtime. */
bool runtime_meant(char *const *argv);
/* Returns the exit code, or does not return: commands other than `create` are left to the real
 * runtime by execve(2). */
int runtime_run(int argc, char **argv);

#endif
