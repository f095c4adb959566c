/* Lines for systemd's journal, which reads their priority from a prefix: "<3>text" (sd-daemon(3)).
 */
#ifndef LIB_JOURNAL_H
#define LIB_JOURNAL_H

#include <stdbool.h>

/* The numbers are syslog's. */
enum log_level { LEVEL_ERROR = 3, LEVEL_WARNING = 4, LEVEL_NOTICE = 5, LEVEL_INFO = 6 };

/* Whether the journal reads the descriptor: JOURNAL_STREAM identifies it (systemd.exec(5)). */
bool journal_reads(int fd);

/* Writes complete lines to stderr, each with the priority if the journal reads stderr. */
void journal_stderr(enum log_level level, const char *lines);

#endif
