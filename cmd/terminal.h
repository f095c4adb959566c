#ifndef CMD_TERMINAL_H
#define CMD_TERMINAL_H

#include <stdbool.h>

/* Whether the descriptor is a terminal that control sequences mean something to: TERM is set, and
 * not to "dumb". */
bool terminal_draws(int fd);

#endif
