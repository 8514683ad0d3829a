#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "xlrm/core/error.hpp"
#include "xlrm/core/file.hpp"

namespace xlrm {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBuffer = 1U << 18U;

//! A file's bytes in order; closed on destruction.
class ByteReader {
public:
    explicit ByteReader(const fs::path& path) : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        if (fd_ < 0) bad(errno);
    }
    ~ByteReader() { ::close(fd_); }
    ByteReader(const ByteReader&) = delete;
    ByteReader& operator=(const ByteReader&) = delete;
    //! How many of `size` bytes were read; 0 at the end alone.
    std::size_t read(char* bytes, std::size_t size) const {
        for (;;) {
            const ssize_t got = ::read(fd_, bytes, size);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) bad(errno);
            return static_cast<std::size_t>(got);
        }
    }
    //! As many as there are, up to `size`: a pipe gives them in pieces.
    std::size_t fill(char* bytes, std::size_t size) const {
        std::size_t filled = 0;
        while (filled < size) {
            const std::size_t got = read(bytes + filled, size - filled);
            if (got == 0) break;
            filled += got;
        }
        return filled;
    }
    [[noreturn]] void bad(int error) const { fail("cannot read " + path_.string() + ": " + std::strerror(error), ExitCode::io); }
    const fs::path& path() const { return path_; }

private:
    fs::path path_;
    int fd_;
};

using Take = std::function<void(std::string_view bytes)>;

//! The content of gzip data, member after member.
class Gunzip {
public:
    Gunzip(const ByteReader& file, std::string&& head) : file_(file), in_(std::move(head)), out_(kBuffer, '\0') {
        in_size_ = in_.size();
        in_.resize(std::max(kBuffer, in_size_));
        if (::inflateInit2(&stream_, 15 + 16) != Z_OK) fail(file_.path().string() + ": no memory to decompress it", ExitCode::io);
        feed(in_size_);
    }
    ~Gunzip() { ::inflateEnd(&stream_); }
    Gunzip(const Gunzip&) = delete;
    Gunzip& operator=(const Gunzip&) = delete;

    void run(const Take& take) {
        do read_member(take);
        while (next_member());
    }

private:
    [[noreturn]] void damaged(const std::string& reason) const {
        fail(file_.path().string() + ": damaged gzip data (" + reason + ")", ExitCode::io);
    }
    void feed(std::size_t size) {
        stream_.next_in = reinterpret_cast<Bytef*>(in_.data());
        stream_.avail_in = static_cast<uInt>(size);
    }
    //! false at the end of the file.
    bool more() {
        if (stream_.avail_in == 0) feed(file_.read(in_.data(), in_.size()));
        return stream_.avail_in > 0;
    }
    void read_member(const Take& take) {
        for (int code = Z_OK; code != Z_STREAM_END;) {
            if (!more()) damaged("the file is cut off");
            stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
            stream_.avail_out = static_cast<uInt>(out_.size());
            code = ::inflate(&stream_, Z_NO_FLUSH);
            if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
                damaged(stream_.msg != nullptr ? stream_.msg : "it does not inflate");
            take(std::string_view(out_).substr(0, out_.size() - stream_.avail_out));
        }
    }
    bool next_member() {
        while (more() && *stream_.next_in == 0) {
            ++stream_.next_in;
            --stream_.avail_in;
        }
        if (stream_.avail_in == 0) return false;
        if (*stream_.next_in != 0x1F) damaged("something else follows it; is this the whole file, and that file alone?");
        ::inflateReset(&stream_);
        return true;
    }

    const ByteReader& file_;
    std::string in_, out_;
    std::size_t in_size_ = 0;
    z_stream stream_{};
};

void read_plain(const ByteReader& file, std::string&& head, const Take& take) {
    take(head);
    std::string buffer(kBuffer, '\0');
    while (const std::size_t got = file.read(buffer.data(), buffer.size())) take(std::string_view(buffer).substr(0, got));
}

}  // namespace

std::string read_beginning(const fs::path& path, std::size_t size) {
    const ByteReader file(path);
    std::string bytes(size, '\0');
    bytes.resize(file.fill(bytes.data(), size));
    return bytes;
}

void for_each_line(const fs::path& path, const std::function<void(std::int64_t, std::string_view)>& line) {
    const ByteReader file(path);
    std::string head(2, '\0');
    head.resize(file.fill(head.data(), head.size()));
    std::string rest;
    std::int64_t number = 0;
    const auto emit = [&](std::string_view text) {
        if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
        line(++number, text);
    };
    const auto take = [&](std::string_view bytes) {
        for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
            if (rest.empty()) {
                emit(bytes.substr(0, end));
            } else {
                emit(rest.append(bytes.substr(0, end)));
                rest.clear();
            }
            bytes.remove_prefix(end + 1);
        }
        rest.append(bytes);
    };
    if (head == "\x1F\x8B") {
        Gunzip(file, std::move(head)).run(take);
    } else if (path.extension() == ".gz" || path.extension() == ".GZ") {
        fail(path.string() + ": it is named .gz, but " + (head.empty() ? "it is empty" : "it is not gzip data") +
                 "; give it its right name, or get it again",
             ExitCode::io);
    } else {
        read_plain(file, std::move(head), take);
    }
    if (!rest.empty()) emit(rest);
}

}  // namespace xlrm
