#include "daemon/ops/key.h"

#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

enum { TEXT_LEN = 2 * BAO_ED25519_KEY_LEN };

static int make(const char *file, uint8_t seed[BAO_ED25519_KEY_LEN])
{
    char text[TEXT_LEN + 2], temporary[4096];
    int fd, r = 0;

    if (getrandom(seed, BAO_ED25519_KEY_LEN, 0) != BAO_ED25519_KEY_LEN)
        return -EIO;
    bao_hex(seed, BAO_ED25519_KEY_LEN, text);
    text[TEXT_LEN] = '\n';
    if (snprintf(temporary, sizeof(temporary), "%s.new", file) >= (int)sizeof(temporary))
        return -ENAMETOOLONG;
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (write(fd, text, TEXT_LEN + 1) != TEXT_LEN + 1 || fsync(fd) < 0)
        r = errno != 0 ? -errno : -EIO;
    close(fd);
    return r == 0 && rename(temporary, file) < 0 ? -errno : r;
}

int baod_key_load(const char *file, uint8_t ret_seed[BAO_ED25519_KEY_LEN])
{
    char text[TEXT_LEN + 2];
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return errno == ENOENT ? make(file, ret_seed) : -errno;
    n = read(fd, text, sizeof(text));
    close(fd);
    if (n < TEXT_LEN)
        return n < 0 ? -errno : -EBADMSG;
    return bao_unhex((struct bao_str){text, TEXT_LEN}, ret_seed, BAO_ED25519_KEY_LEN) ? 0 : -EBADMSG;
}
