/* Reads a file of /proc or /sys whole, as text. */
#ifndef LIB_FILE_TEXT_H
#define LIB_FILE_TEXT_H

/* Returns the text, which the caller frees, or NULL with errno. A byte 0 ends the text. Rejected:
 * fopen(3), which asks for the file's status and then reads /proc 1 KiB at a time (st_blksize,
 * whatever setvbuf(3) asks for without a buffer); the kernel gives a page at a time
 * (seq_read_iter). */
char *file_text(const char *path);
/* The same of an open file, from its beginning. */
char *file_text_of(int fd);

#endif
