#include "daemon/ops/user.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

int baod_become(const char *name)
{
    struct passwd *user;

    errno = 0;
    user = getpwnam(name);
    if (user == NULL)
        return errno == 0 ? -ENOENT : -errno;
    if (geteuid() == user->pw_uid)
        return 0;
    if (initgroups(name, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0)
        return -errno;
    /* Programs started from here must not look for files in root's home. */
    return setenv("HOME", user->pw_dir, 1) < 0 || setenv("USER", name, 1) < 0 ? -errno : 0;
}

void baod_user_name(uid_t uid, char ret[64])
{
    struct passwd user, *found = NULL;
    char room[4096];

    if (getpwuid_r(uid, &user, room, sizeof(room), &found) == 0 && found != NULL)
        snprintf(ret, 64, "%s", user.pw_name);
    else
        snprintf(ret, 64, "uid %lu", (unsigned long)uid);
}
