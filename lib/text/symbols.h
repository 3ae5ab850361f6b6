/* The wire's symbols (protocol.md): stable words for what became of a request, each with its first answer
 * word, HTTP status and a sentence in both languages. One table for both ports. */
#pragma once

#include "lib/base/diag.h"

enum bao_answer { BAO_OK, BAO_WAIT, BAO_NO };

/* X(symbol, answer, http status, Vietnamese, English) */
#define BAO_SYMBOLS(X)                                                                                       \
    X(FRAME, BAO_NO, 400, "Khung tin sai, kết nối sẽ đóng.", "The frame is broken; the connection closes.")  \
    X(HEAD, BAO_NO, 400, "Dòng đầu sai.", "The head line is wrong.")                                         \
    X(TOOBIG, BAO_NO, 413, "Nội dung lớn hơn mức cho phép.", "The body is larger than allowed.")             \
    X(MUST, BAO_NO, 400, "Có khóa bắt buộc phải hiểu mà máy chủ không biết.",                                \
      "A key that must be understood is unknown here.")                                                      \
    X(VERB, BAO_NO, 400, "Lệnh này không có.", "There is no such verb.")                                     \
    X(VERSION, BAO_NO, 400, "Phiên bản giao thức này không được hỗ trợ.",                                    \
      "This protocol version is not spoken.")                                                                \
    X(AUTH, BAO_NO, 401,                                                                                     \
      "Mã truy cập thiếu, sai, hết hạn hoặc đã thu hồi; xem lại tệp mã, "                \
      "nếu vẫn vậy hãy xin tỉnh cấp mã mới.",                                                                \
      "The token is missing, wrong, expired or revoked; look at the token file, "                            \
      "and if it is right ask the province for a new one.")                                                  \
    X(UNIT, BAO_NO, 403, "Kết nối này không được gửi thay đơn vị ghi trong báo cáo.",                        \
      "This connection may not speak for the unit in the report.")                                           \
    X(UTF8, BAO_NO, 400, "Nội dung không phải UTF-8.", "The body is not UTF-8.")                             \
    X(HASH, BAO_NO, 400, "Nội dung hỏng trên đường truyền (sai SHA-256); hãy gửi lại.",                      \
      "The body was damaged on the way (SHA-256 differs); send it again.")                                   \
    X(INFLATE, BAO_NO, 400, "Không giải nén được; hãy gửi lại.",                                             \
      "The body cannot be inflated; send it again.")                                                         \
    X(RAW, BAO_NO, 400, "Kích thước sau giải nén khác với raw đã khai; hãy gửi lại.",                        \
      "The inflated size differs from raw; send it again.")                                                  \
    X(PARSE, BAO_NO, 422, "Không đọc được tệp báo cáo.", "The report file cannot be read.")                  \
    X(ENVELOPE, BAO_NO, 422, "Phần đầu báo cáo sai.", "The report's envelope is wrong.")                     \
    X(FORM, BAO_NO, 404, "Không có biểu mẫu này.", "There is no such form.")                                 \
    X(PERIOD, BAO_NO, 422, "Kỳ báo cáo không đúng với biểu mẫu.", "The period does not fit the form.")       \
    X(NOTOWED, BAO_NO, 409, "Đơn vị không có nghĩa vụ gửi báo cáo này.",                                     \
      "The unit does not owe this report.")                                                                  \
    X(LOCKED, BAO_NO, 409, "Kỳ báo cáo đã khóa.", "The period is locked.")                                   \
    X(KEYREUSED, BAO_NO, 409, "Lần báo cáo này đã được nhận với nội dung khác; hãy tăng revision.",          \
      "This revision was accepted with other content; raise revision.")                                      \
    X(INVALID, BAO_NO, 422, "Báo cáo có lỗi cần sửa.", "The report has errors to mend.")                     \
    X(EXPLAIN, BAO_NO, 422, "Báo cáo có số liệu cần giải trình.",                                            \
      "The report has figures that need an explanation.")                                                    \
    X(SECRET, BAO_NO, 422, "Báo cáo có độ mật không được gửi qua hệ thống này; nội dung không được lưu.",    \
      "A classified report must not travel here; nothing of it was kept.")                                   \
    X(UNKNOWN, BAO_NO, 404,                                                                                  \
      "Chưa thấy báo cáo này ở đây; kiểm tra lại biểu mẫu, đơn vị, kỳ, lần. "      \
      "Nếu đã gửi mà chưa thấy thì gửi lại tệp: gửi lại không bao giờ làm trùng.",                           \
      "This report is not known here; look at form, unit, period and revision again. "                       \
      "If it was sent, send the file once more: that never doubles it.")                                     \
    X(BUSY, BAO_WAIT, 503, "Máy chủ đang bận; giữ tệp và gửi lại sau.",                                      \
      "Busy; keep the file and send it later.")                                                              \
    X(QUOTA, BAO_WAIT, 429, "Đơn vị gửi quá nhanh; hãy giữ tệp và gửi lại sau.",                             \
      "This unit sends too fast; keep the file and send it later.")                                          \
    X(SPOOLFULL, BAO_WAIT, 503, "Kho tạm của máy chủ đã đầy; hãy giữ tệp và gửi lại sau.",                   \
      "The server's spool is full; keep the file and send it later.")                                        \
    X(DRAINING, BAO_WAIT, 503, "Máy chủ đang dừng; hãy giữ tệp và gửi lại sau.",                             \
      "The server is stopping; keep the file and send it later.")                                            \
    X(INTERNAL, BAO_WAIT, 503, "Lỗi phía máy chủ; giữ tệp và gửi lại sau.",                                  \
      "A fault on the server's side; keep the file and send it later.")

enum bao_symbol {
    BAO_SYM_NONE, /* no complaint */
#define X(name, answer, http, vi, en) BAO_SYM_##name,
    BAO_SYMBOLS(X)
#undef X
};

struct bao_symbol_info {
    const char *name; /* "" for BAO_SYM_NONE */
    enum bao_answer answer;
    int http;
    const char *sentence[BAO_LANGS];
};

/* Never NULL for a value of the enum. */
const struct bao_symbol_info *bao_symbol_info(enum bao_symbol symbol);
/* The symbol of a name, or BAO_SYM_NONE. */
enum bao_symbol bao_symbol_of(struct bao_str name);
