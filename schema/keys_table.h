/* How the rows of the table of keys are written. Only the files of the table include it. */
#ifndef SCHEMA_KEYS_TABLE_H
#define SCHEMA_KEYS_TABLE_H

#define AT(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define KEYS(rows)       .keys = (rows), .n_keys = sizeof(rows) / sizeof(*(rows))

#endif
