/* The commands, one file each. Each returns an enum exit_code. */
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

#include "cmd/options.h"

int command_apply(const struct options *options);
int command_diff(const struct options *options);
int command_import(const struct options *options);
int command_graph(const struct options *options);
int command_watch(const struct options *options);
int command_status(const struct options *options);
/* Makes what a call of the CNI plugin needs before the process is confined. */
void cni_prepare(struct options *options);
int command_cni(const struct options *options);
int command_docker_plugin(const struct options *options);
int command_netavark(const struct options *options);
int command_hook(const struct options *options);
int command_confirm(const struct options *options);
int command_delete(const struct options *options);
int command_validate(const struct options *options);
int command_schema(const struct options *options);
int command_doctor(const struct options *options);
int command_help(const struct options *options);
int command_version(const struct options *options);
int command_complete(const struct options *options);
int command_explain(const struct options *options);
int command_export(const struct options *options);

#endif
