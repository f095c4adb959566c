#include "cmd/keyboard.h"

#include <sys/types.h>
#include <termios.h>
#include <unistd.h>

#define FOREGROUND_INTERVAL_MS 500

/* tcgetpgrp(3) works for the controlling terminal only. */
static bool in_foreground(void)
{
	return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* tcflush(3) in the background would stop the process (SIGTTOU). */
static void foreground_update(struct keyboard *keyboard)
{
	const bool now = keyboard->terminal && in_foreground();
	if (now && !keyboard->foreground)
		(void)tcflush(STDIN_FILENO, TCIFLUSH);
	keyboard->foreground = now;
}

struct keyboard keyboard_open(void)
{
	struct keyboard keyboard = {.terminal = isatty(STDIN_FILENO)};
	foreground_update(&keyboard);
	return keyboard;
}

int keyboard_poll(struct keyboard *keyboard, int *ret_timeout)
{
	foreground_update(keyboard);
	const bool background = keyboard->terminal && !keyboard->foreground;
	*ret_timeout = background ? FOREGROUND_INTERVAL_MS : -1;
	return keyboard->foreground ? STDIN_FILENO : -1;
}

static bool empty_line(struct keyboard *keyboard, char byte)
{
	const bool empty = byte == '\n' && !keyboard->in_line;
	keyboard->in_line = byte != '\n';
	return empty;
}

bool keyboard_enter(struct keyboard *keyboard)
{
	char bytes[256];
	if (!in_foreground())
		return false;
	ssize_t size = read(STDIN_FILENO, bytes, sizeof(bytes));
	keyboard->terminal = size > 0;
	for (ssize_t i = 0; i < size; i++)
		if (empty_line(keyboard, bytes[i]))
			return true;
	return false;
}
