/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/copy.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/attr.h"

enum {
	PART_BYTES = 1 << 20
};

/* From where both are: 0 at the end. */
static ssize_t
copy_part(int in, int out)
{
	char bytes[1 << 16];
	ssize_t n = copy_file_range(in, NULL, out, NULL, PART_BYTES, 0);

	/* Of old kernels, and between some file systems. */
	if (n >= 0 ||
		(errno != EXDEV && errno != EINVAL && errno != ENOSYS &&
			errno != EOPNOTSUPP && errno != EPERM))
		return n;
	n = read(in, bytes, sizeof(bytes));
	for (ssize_t put = 0, m; put < n; put += m)
		if ((m = write(out, bytes + put, (size_t)(n - put))) < 0)
			return -1;
	return n;
}

int
copy_file(const char *from, const char *to, struct err *e)
{
	CLEANUP(own_fd)
	int in = open(from,
		O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
	CLEANUP(own_fd)
	int out = -1;
	struct stat st;
	ssize_t n;
	int fd;

	if (in < 0 || fstat(in, &st) < 0)
		return err_sys(e, ERR_HOST, "%s", from);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_HOST, "%s: this is no file", from);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (out < 0)
		return err_sys(e, ERR_HOST, "%s", to);
	do
		n = copy_part(in, out);
	while (n > 0);
	if (n < 0)
		return err_sys(e, ERR_HOST, "%s", to);
	fd = out;
	out = -1;
	return close(fd) < 0 ? err_sys(e, ERR_HOST, "%s", to) : 0;
}
