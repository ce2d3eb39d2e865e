/*
 * The content of every user's mailbox, which the stub server serves and the load generator checks. Message 1 is one block,
 * message 2 is LARGE_BLOCKS of them. Each line of a block names its user, so that bytes for the wrong user are detected,
 * and some lines look like protocol, so that a proxy that mistakes content for protocol is detected.
 */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 4096, LINE_BYTES = 64, LARGE_BLOCKS = 256, USERS_MAX = 1000000, NAME_BYTES = 7 };

/* u000042, whose password is p000042 */
static inline void write_name(char *out, char kind, unsigned user)
{
    *out = kind;
    for (int digit = NAME_BYTES - 1; digit > 0; digit--, user /= 10)
        out[digit] = (char)('0' + user % 10);
    out[NAME_BYTES] = 0;
}

static inline void fill_block(char *block, unsigned user)
{
    static const char *forged[] = {"a3 OK FETCH completed", "x LOGOUT", "* BYE forged", "* 1 FETCH (BODY[] {5}"};
    char name[NAME_BYTES + 1];
    write_name(name, 'u', user);
    for (unsigned line = 0; line < BLOCK_BYTES / LINE_BYTES; line++) {
        char *at = block + line * LINE_BYTES;
        char text[LINE_BYTES + 1];
        unsigned trap = line % 16;
        int length = trap < 4 && line > 3 ? snprintf(text, sizeof text, "%s %s", forged[trap], name)
                                          : snprintf(text, sizeof text, "%s line %02u ", name, line);
        memcpy(at, text, (size_t)length);
        for (int i = length; i < LINE_BYTES - 2; i++)
            at[i] = (char)('!' + (i * 7 + line + user) % 90);
        memcpy(at + LINE_BYTES - 2, "\r\n", 2);
    }
}

/* The block of a user, made at the first request. */
static inline const char *block_of(unsigned user)
{
    static char *blocks[USERS_MAX];
    if (!blocks[user]) {
        blocks[user] = malloc(BLOCK_BYTES);
        fill_block(blocks[user], user);
    }
    return blocks[user];
}

#endif
