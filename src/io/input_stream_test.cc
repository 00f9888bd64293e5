#include "io/input_stream.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <fstream>

#include "io/process.h"

namespace adbrook::io {
namespace {

std::string scratch_path(const std::string& name) {
  return testing::TempDir() + "adbrook-input-" + std::to_string(process_id()) + name;
}

TEST(InputStream, a_file_is_read_to_its_end) {
  const std::string path = scratch_path("file");
  std::ofstream(path) << "two lines\nand no end";
  auto stream = InputStream::open(path);
  ASSERT_TRUE(stream) << stream.error().message;
  std::array<std::byte, 8> piece;
  std::string read;
  for (;;) {
    const auto size = stream->read_some(piece, Millis(1000));
    ASSERT_TRUE(size && *size);
    if (**size == 0) break;
    read += as_text(ByteView(piece).first(**size));
  }
  EXPECT_EQ(read, "two lines\nand no end");
  std::remove(path.c_str());
}

TEST(InputStream, a_silent_pipe_gives_control_back) {
  const std::string path = scratch_path("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  // Open for both, so that neither end waits for the other.
  std::fstream writer(path, std::ios::in | std::ios::out);
  auto stream = InputStream::open(path);
  ASSERT_TRUE(stream) << stream.error().message;
  std::array<std::byte, 8> piece;
  const auto nothing = stream->read_some(piece, Millis(1));
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(*nothing);
  writer << "now" << std::flush;
  const auto some = stream->read_some(piece, Millis(1000));
  ASSERT_TRUE(some && *some);
  EXPECT_EQ(as_text(ByteView(piece).first(**some)), "now");
  std::remove(path.c_str());
}

TEST(InputStream, a_missing_file_is_named) {
  const auto stream = InputStream::open("/nowhere/lines.txt");
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().kind, ErrorKind::not_found);
  EXPECT_NE(stream.error().message.find("/nowhere/lines.txt"), std::string::npos);
}

}  // namespace
}  // namespace adbrook::io
