/* ECMA-48 SGR escape sequences for the colours of a terminal. */
#ifndef CMD_ANSI_H
#define CMD_ANSI_H

#define SGR_RED    "\033[31m"
#define SGR_GREEN  "\033[32m"
#define SGR_YELLOW "\033[33m"
#define SGR_RESET  "\033[0m"

#endif
