/* Reads ENTER from the terminal that a command runs on. Standard input that is not a terminal is
 * never read: another program may consume it. */
#ifndef CMD_KEYBOARD_H
#define CMD_KEYBOARD_H

#include <stdbool.h>

struct keyboard {
	bool terminal;   /* standard input is a terminal, and has not ended */
	bool foreground; /* the kernel stops a background process that reads it (SIGTTIN) */
	bool in_line;    /* part of a line was read */
};

/* Discards earlier input. */
struct keyboard keyboard_open(void);

/* The descriptor for poll(2), or -1 while this process cannot read the terminal. *ret_timeout:
 * milliseconds after which to call this again, as becoming the foreground process causes no event;
 * or -1. */
int keyboard_poll(struct keyboard *keyboard, int *ret_timeout);

/* Reads pending input. Returns whether it has an empty line; other lines and the end of input are
 * not ENTER. */
bool keyboard_enter(struct keyboard *keyboard);

#endif
