#include "cmd/service/log.h"

#include "reconcile/json_text.h"
#include "schema/source.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HELD_SIZE ((size_t)64 << 10)

static const char *const level_names[] = {
	[LEVEL_ERROR] = "error",
	[LEVEL_WARNING] = "warning",
	[LEVEL_NOTICE] = "notice",
	[LEVEL_INFO] = "info",
};

static bool on_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat stat;
	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &stat) == 0 && stat.st_dev == device && stat.st_ino == inode;
}

static FILE *stream_of(const struct log *log)
{
	return log->json ? stdout : stderr;
}

struct log log_new(const struct options *options)
{
	const struct log log = {.json = options->output == OUTPUT_JSON,
				.journal = on_journal(),
				.quiet = options->quiet};
	(void)setvbuf(stream_of(&log), NULL, _IOFBF, HELD_SIZE);
	return log;
}

void log_hold(struct log *log)
{
	log->held = true;
}

void log_let_go(struct log *log)
{
	log->held = false;
	(void)fflush(stream_of(log));
}

/* UTC, RFC 3339. */
static const char *time_text(char text[32])
{
	struct timespec now;
	struct tm parts;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	size_t used = strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text + used, 32 - used, ".%03ldZ", now.tv_nsec / 1000000);
	return text;
}

static void json_line(enum log_level level, const char *message, json_t *fields)
{
	char text[32];
	json_t *line = json_pack("{s:s, s:s, s:o}", "time", time_text(text), "level",
				 level_names[level], "message", json_text(message));
	if (fields)
		json_object_update_missing(line, fields);
	json_dumpf(line, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	json_decref(line);
}

static void text_line(const struct log *log, enum log_level level, const char *message)
{
	static const char *const prefixes[] = {[LEVEL_ERROR] = "error: ",
					       [LEVEL_WARNING] = "warning: ",
					       [LEVEL_NOTICE] = "",
					       [LEVEL_INFO] = ""};
	char text[32];
	if (log->journal)
		fprintf(stderr, "<%d>%s\n", level, message);
	else
		fprintf(stderr, "%s %s%s\n", time_text(text), prefixes[level], message);
}

/* Names of files may hold any byte; a line of the log is one line of UTF-8. */
void log_write_fields(const struct log *log, enum log_level level, const char *message,
		      json_t *fields)
{
	char line[LOG_MESSAGE_SIZE];
	if (!log->quiet || level <= LEVEL_WARNING) {
		snprintf(line, sizeof(line), "%s", message);
		text_make_printable(line);
		if (log->json)
			json_line(level, line, fields);
		else
			text_line(log, level, line);
		if (!log->held)
			(void)fflush(stream_of(log));
	}
	json_decref(fields);
}

void log_write(const struct log *log, enum log_level level, const char *format, ...)
{
	char message[LOG_MESSAGE_SIZE];
	va_list args;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	log_write_fields(log, level, message, NULL);
}

void log_error(const struct log *log, enum log_level level, const char *then,
	       const struct error *error)
{
	char code[CODE_TEXT_SIZE], message[LOG_MESSAGE_SIZE];
	code_format(error->code, code);
	snprintf(message, sizeof(message), "%.400s [%s]%s%s%s%.400s", error->text, code,
		 then ? "; " : "", then ? then : "", *error->hint ? "; hint: " : "", error->hint);
	log_write_fields(log, level, message, json_pack("{s:s}", "code", code));
}
