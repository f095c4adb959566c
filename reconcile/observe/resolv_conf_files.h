/* Finds the paths of `resolv_conf` at which the attachment's file is missing. */
#ifndef RECONCILE_OBSERVE_RESOLV_CONF_FILES_H
#define RECONCILE_OBSERVE_RESOLV_CONF_FILES_H

#include "reconcile/state/state.h"

/* Adds them to `live`. */
void resolv_conf_files_observe(struct live *live, const struct desired *desired);

#endif
