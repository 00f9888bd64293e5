#include "io/outgoing_message.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "io/real_file_system.h"
#include "io/simulated_file_system.h"
#include "io/test_seed.h"

namespace adbrook::io {
namespace {

// Two ends of a connection with small buffers, both without waiting, and a place for files.
class OutgoingMessageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "adbrook-message-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override {
    disconnect();
    std::filesystem::remove_all(root_);
  }

  void connect(int buffer_size) {
    disconnect();
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()), 0);
    ::setsockopt(ends_[0], SOL_SOCKET, SO_SNDBUF, &buffer_size, sizeof buffer_size);
  }
  void disconnect() {
    for (int& end : ends_) {
      if (end >= 0) ::close(end);
      end = -1;
    }
  }
  Buffer receive(std::size_t size_max) const {
    Buffer got(size_max);
    const ssize_t size = ::recv(ends_[1], got.data(), got.size(), 0);
    got.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return got;
  }

  std::shared_ptr<File> make_file(FileSystem& files, const std::string& name, ByteView content) {
    std::shared_ptr<File> file = files.open(root_ + "/" + name, OpenMode::write).value();
    EXPECT_TRUE(file->truncate(0));
    EXPECT_TRUE(file->write_at(0, content));
    return file;
  }

  std::string root_;
  RealFileSystem disk_;
  std::array<int, 2> ends_{-1, -1};
};

// A message of random pieces and ranges, and what must arrive.
struct RandomMessage {
  std::vector<Buffer> kept;
  std::vector<ByteView> pieces;
  std::vector<FileRange> files;
  Buffer whole;

  void add_piece(SeededRandom& random) {
    Buffer& bytes = kept.emplace_back(1 + random.below(random.below(4) == 0 ? 100'000 : 300));
    random.fill(bytes);
    pieces.push_back(bytes);
    append(whole, bytes);
  }
  void add_range(SeededRandom& random, std::shared_ptr<File> file, ByteView content) {
    const std::uint64_t position = random.below(content.size());
    const std::size_t size = 1 + random.below(content.size() - position);
    pieces.emplace_back();
    files.push_back({.file = std::move(file), .position = position, .size = size});
    append(whole, content.subspan(position, size));
  }
};

TEST_F(OutgoingMessageTest, the_same_bytes_arrive_however_few_the_socket_takes_at_a_time) {
  for (const std::uint64_t seed : test_seeds(40)) {
    SCOPED_TRACE(seed_note(seed));
    SeededRandom random(seed);
    SimulatedFileSystem without_descriptors(seed);
    ASSERT_TRUE(without_descriptors.make_directories(root_));
    Buffer content(1 + random.below(400'000));
    random.fill(content);
    const auto real = make_file(disk_, "real", content);
    const auto simulated = make_file(without_descriptors, "simulated", content);
    RandomMessage made;
    made.kept.reserve(200);
    for (std::uint64_t left = 1 + random.below(150); left > 0; --left) {
      if (random.below(3) > 0)
        made.add_piece(random);
      else
        made.add_range(random, random.below(2) == 0 ? real : simulated, content);
    }
    connect(static_cast<int>(1 + random.below(200'000)));
    OutgoingMessage message(std::move(made.pieces), std::move(made.files));
    Buffer got;
    for (bool all = false; got.size() < made.whole.size();) {
      if (!all) {
        const auto sent = message.send(ends_[0], "peer");
        ASSERT_TRUE(sent) << sent.error().message;
        all = *sent;
      }
      const Buffer some = receive(1 + random.below(100'000));
      ASSERT_TRUE(!some.empty() || !all) << "bytes are missing";
      append(got, some);
    }
    ASSERT_EQ(got, made.whole);
    EXPECT_TRUE(message.send(ends_[0], "peer").value());
    EXPECT_TRUE(receive(1).empty()) << "more came than was sent";
  }
}

TEST_F(OutgoingMessageTest, a_removed_file_is_sent_to_its_end) {
  const Buffer content(100'000, std::byte{7});
  const auto file = make_file(disk_, "doomed", content);
  connect(10'000);
  OutgoingMessage message({ByteView{}}, {{.file = file, .position = 0, .size = content.size()}});
  ASSERT_FALSE(message.send(ends_[0], "peer").value());
  ASSERT_TRUE(disk_.remove(root_ + "/doomed"));
  Buffer got;
  for (bool all = false; !all;) {
    append(got, receive(30'000));
    all = message.send(ends_[0], "peer").value();
  }
  while (got.size() < content.size()) append(got, receive(30'000));
  EXPECT_EQ(got, content);
}

TEST_F(OutgoingMessageTest, a_file_that_lost_bytes_is_an_error_and_no_endless_loop) {
  SimulatedFileSystem without_descriptors(1);
  ASSERT_TRUE(without_descriptors.make_directories(root_));
  for (FileSystem* files :
       {static_cast<FileSystem*>(&disk_), static_cast<FileSystem*>(&without_descriptors)}) {
    connect(100'000);
    const auto file = make_file(*files, "short", as_bytes("ten bytes."));
    OutgoingMessage message({as_bytes("head"), ByteView{}},
                            {{.file = file, .position = 4, .size = 7}});
    const auto sent = message.send(ends_[0], "peer");
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().kind, ErrorKind::corrupt);
    EXPECT_NE(sent.error().message.find("'peer'"), std::string::npos);
  }
}

TEST_F(OutgoingMessageTest, a_peer_that_is_gone_is_an_error_and_no_signal) {
  const auto file = make_file(disk_, "file", as_bytes("ten bytes."));
  for (const bool begins_with_file : {false, true}) {
    connect(100'000);
    ::close(std::exchange(ends_[1], -1));
    std::vector<ByteView> pieces{as_bytes("head"), ByteView{}};
    if (begins_with_file) std::swap(pieces[0], pieces[1]);
    OutgoingMessage message(std::move(pieces), {{.file = file, .position = 0, .size = 10}});
    const auto sent = message.send(ends_[0], "peer");
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().kind, ErrorKind::io_failed) << sent.error().message;
  }
}

}  // namespace
}  // namespace adbrook::io
