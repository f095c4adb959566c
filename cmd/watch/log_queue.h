/* A queue of log lines for a reader that may be slow or gone. Writing never blocks; lines that do
 * not fit are dropped and counted. */
#ifndef CMD_WATCH_LOG_QUEUE_H
#define CMD_WATCH_LOG_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct log_queue;

/* The caller still owns the descriptor. */
struct log_queue *log_queue_new(int fd);
void log_queue_free(struct log_queue *queue);

/* Adds a complete line with its end; or counts it as lost. */
void log_queue_add(struct log_queue *queue, const char *line, size_t size);
/* The number of lines that were lost since the last call; 0 while there is no room to report it. */
size_t log_queue_lost(struct log_queue *queue);
/* Writes as much as the reader accepts now. Returns whether the queue is empty. */
bool log_queue_write(struct log_queue *queue);
/* A descriptor that epoll reports as ready when the reader accepts more. */
int log_queue_fd(const struct log_queue *queue);

#endif
