#include "lib/text/errno.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    int error;
    const char *vi, *en;
} table[] = {
    {ENOENT, "không có tệp hoặc thư mục này", "there is no such file or folder"},
    {ENOTDIR, "một phần của đường dẫn không phải là thư mục", "a part of the path is not a folder"},
    {EISDIR, "đây là thư mục, không phải tệp", "this is a folder, not a file"},
    {EACCES, "không có quyền truy cập", "permission denied"},
    {EPERM, "không được phép làm việc này", "this is not permitted"},
    {EROFS, "ổ đĩa chỉ cho đọc", "the disk can only be read"},
    {ENOSPC, "ổ đĩa đã đầy", "the disk is full"},
    {EDQUOT, "đã dùng hết hạn mức ổ đĩa", "the disk quota is used up"},
    {EIO, "ổ đĩa bị lỗi khi đọc hoặc ghi", "the disk failed to read or write"},
    {ELOOP, "liên kết chỉ vòng quanh, không tới tệp nào", "the link leads round in a circle"},
    {EFBIG, "tệp quá lớn", "the file is too large"},
    {EEXIST, "đã có tệp cùng tên", "a file of this name exists already"},
    {ENAMETOOLONG, "tên hoặc đường dẫn quá dài", "the name or path is too long"},
    {ENOMEM, "máy không đủ bộ nhớ", "there is not enough memory"},
    {EMFILE, "đang mở quá nhiều tệp", "too many files are open"},
    {ECONNREFUSED, "máy chủ không nhận kết nối ở cổng này", "nothing listens there: connection refused"},
    {ECONNRESET, "kết nối bị ngắt giữa chừng", "the connection was cut"},
    {ECONNABORTED, "kết nối bị ngắt giữa chừng", "the connection was cut"},
    {EPIPE, "kết nối bị ngắt giữa chừng", "the connection was cut"},
    {ETIMEDOUT, "chờ quá lâu mà không có trả lời", "no answer came in time"},
    {EHOSTUNREACH, "không có đường mạng tới máy chủ", "the server cannot be reached"},
    {ENETUNREACH, "máy này chưa nối mạng hoặc không có đường tới máy chủ", "the network cannot be reached"},
    {EADDRINUSE, "cổng này đang được chương trình khác dùng", "another program uses this port"},
    {EPROTO, "phía bên kia trả lời không đúng giao thức", "the other side does not speak the protocol"},
};

const char *bao_errno_text(int error, enum bao_lang lang)
{
    int positive = abs(error);

    for (size_t i = 0; i < BAO_COUNT(table); i++)
        if (table[i].error == positive)
            return lang == BAO_VI ? table[i].vi : table[i].en;
    return strerror(positive);
}
