/* sd_notify(3): sends a datagram to the socket that systemd names. */
#ifndef CMD_WATCH_SD_NOTIFY_H
#define CMD_WATCH_SD_NOTIFY_H

#include <stdint.h>

/* Sends "READY=1\nSTATUS=..." and the like; does nothing without NOTIFY_SOCKET. */
__attribute__((format(printf, 1, 2))) void notify(const char *format, ...);

/* Milliseconds between two WATCHDOG=1, half of what systemd allows (sd_watchdog_enabled(3)); -1:
 * the watchdog is off. */
int64_t notify_watchdog_interval(void);

#endif
