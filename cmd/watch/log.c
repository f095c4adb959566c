#include "cmd/watch/log.h"

#include "cmd/output_json.h"
#include "cmd/watch/log_queue.h"
#include "lib/json_text.h"
#include "lib/memory.h"
#include "schema/source_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {
	[LEVEL_ERROR] = "error",
	[LEVEL_WARNING] = "warning",
	[LEVEL_NOTICE] = "notice",
	[LEVEL_INFO] = "info",
};

struct log log_new(const struct options *options)
{
	const bool json = options->output == OUTPUT_JSON;
	const int fd = json ? STDOUT_FILENO : STDERR_FILENO;
	return (struct log){.json = json,
			    .journal = journal_reads(fd),
			    .quiet = options->quiet,
			    .queue = log_queue_new(fd)};
}

void log_free(struct log *log)
{
	(void)log_flush(log);
	log_queue_free(log->queue);
}

void log_defer(struct log *log)
{
	log->deferred = true;
}

void log_release(struct log *log)
{
	log->deferred = false;
	(void)log_flush(log);
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

/* The prefix that the journal reads; nothing for others. */
static const char *priority(const struct log *log, enum log_level level, char text[8])
{
	snprintf(text, 8, "<%d>", level);
	return log->journal ? text : "";
}

static void json_line(const struct log *log, enum log_level level, const char *message,
		      json_t *fields)
{
	char text[32], prefix[8], *entry;
	json_t *line = json_pack("{s:i, s:s, s:s, s:o}", "version", JSON_FORMAT_VERSION, "time",
				 time_text(text), "level", level_names[level], "message",
				 json_text(message));
	if (fields)
		json_object_update_missing(line, fields);
	char *dumped = memory_or_die(json_dump(line, JSON_COMPACT));
	const int size = asprintf(&entry, "%s%s\n", priority(log, level, prefix), dumped);
	if (size >= 0) {
		log_queue_add(log->queue, entry, (size_t)size);
		free(entry);
	}
	free(dumped);
	json_decref(line);
}

static void text_line(const struct log *log, enum log_level level, const char *message)
{
	static const char *const prefixes[] = {[LEVEL_ERROR] = "error: ",
					       [LEVEL_WARNING] = "warning: ",
					       [LEVEL_NOTICE] = "",
					       [LEVEL_INFO] = ""};
	char text[32], prefix[8], line[LOG_MESSAGE_SIZE + 64];
	const int size = log->journal ? snprintf(line, sizeof(line), "%s%s\n",
						 priority(log, level, prefix), message)
				      : snprintf(line, sizeof(line), "%s %s%s\n", time_text(text),
						 prefixes[level], message);
	log_queue_add(log->queue, line, (size_t)size);
}

static void line_add(const struct log *log, enum log_level level, const char *message,
		     json_t *fields)
{
	if (log->json)
		json_line(log, level, message, fields);
	else
		text_line(log, level, message);
}

int log_flush(const struct log *log)
{
	char message[LOG_MESSAGE_SIZE];
	bool written = log_queue_write(log->queue);
	const size_t lost = log_queue_lost(log->queue);
	if (lost) {
		snprintf(message, sizeof(message),
			 "%zu line%s of the log were lost: the reader was too slow", lost,
			 lost == 1 ? "" : "s");
		line_add(log, LEVEL_WARNING, message, NULL);
		written = log_queue_write(log->queue);
	}
	return written ? -1 : log_queue_fd(log->queue);
}

/* Names of files may contain any byte; a log entry is one line of UTF-8. */
void log_write_fields(const struct log *log, enum log_level level, const char *message,
		      json_t *fields)
{
	char line[LOG_MESSAGE_SIZE];
	if (!log->quiet || level <= LEVEL_WARNING) {
		snprintf(line, sizeof(line), "%s", message);
		text_make_printable(line);
		if (!log->deferred)
			(void)log_flush(log);
		line_add(log, level, line, fields);
		if (!log->deferred)
			(void)log_flush(log);
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
