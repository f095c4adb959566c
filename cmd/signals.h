/* Signals that are read from a descriptor. */
#ifndef CMD_SIGNALS_H
#define CMD_SIGNALS_H

#include "lib/error.h"

/* Blocks the signals, whose list ends with 0. Returns a descriptor (signalfd(2)) that does not
 * block, or a negative errno. */
int signals_open(const int signals[], struct error *error);

#endif
