package tiers

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"

	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

// packing is the name by which a Hello says that the speaker unpacks zstd.
const packing = "zstd"

const (
	// packWindow is how far back a packed frame refers to earlier ones, in bytes. It bounds what either end of a stream
	// remembers of it: a province has a hundred links.
	packWindow = 64 << 10
	// packLeast is the size in bytes below which a frame is cheaper as it is.
	packLeast = 48
)

// packer compresses the frames of one direction of a stream, each with all before it in view. One goroutine uses it.
type packer struct {
	zstd *zstd.Encoder
	out  bytes.Buffer // what zstd writes
	raw  []byte       // the frame behind its length; kept for the next one
}

// newPacker begins a stream at the level that needs the least memory, half a megabyte: the higher ones save three bytes of
// a hundred.
func newPacker() (*packer, error) {
	p := &packer{}
	var err error
	p.zstd, err = zstd.NewWriter(&p.out, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(packWindow),
		zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, fmt.Errorf("begin to pack frames: %w", err)
	}
	return p, nil
}

// close gives back what zstd holds.
func (p *packer) close() { _ = p.zstd.Close() }

// pack returns the frame to send instead of one: the frame itself when it is small.
func (p *packer) pack(frame *linkpb.Frame) (*linkpb.Frame, error) {
	size := proto.Size(frame)
	if size < packLeast {
		return frame, nil
	}
	var err error
	p.raw = binary.AppendUvarint(p.raw[:0], uint64(size))
	if p.raw, err = (proto.MarshalOptions{UseCachedSize: true}).MarshalAppend(p.raw, frame); err != nil {
		return nil, fmt.Errorf("pack a frame: %w", err)
	}
	p.out.Reset()
	if _, err = p.zstd.Write(p.raw); err == nil {
		err = p.zstd.Flush()
	}
	if err != nil {
		return nil, fmt.Errorf("pack a frame of %d bytes: %w", size, err)
	}
	packed := &linkpb.Packed{Frame: bytes.Clone(p.out.Bytes())}
	return &linkpb.Frame{Content: &linkpb.Frame_Packed{Packed: packed}}, nil
}

// unpacker is the other end of a packer. One goroutine uses it. Its memory is bounded whatever comes: a few windows and
// the one frame, which has at most maxMessage bytes.
type unpacker struct {
	zstd *zstd.Decoder
	in   bytes.Reader // what zstd reads
}

func newUnpacker() (*unpacker, error) {
	u := &unpacker{}
	var err error
	u.zstd, err = zstd.NewReader(&u.in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(packWindow),
		zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("begin to unpack frames: %w", err)
	}
	return u, nil
}

func (u *unpacker) close() { u.zstd.Close() }

// unpack returns the frame in a packed one. After an error the stream cannot go on.
func (u *unpacker) unpack(packed *linkpb.Packed) (*linkpb.Frame, error) {
	u.in.Reset(packed.Frame)
	size, err := binary.ReadUvarint(oneByOne{u.zstd})
	if err != nil {
		return nil, fmt.Errorf("unpack a frame: %w", cutShort(err))
	}
	if size > maxMessage {
		return nil, fmt.Errorf("unpack a frame: %d packed bytes stand for %d, and a frame has at most %d",
			len(packed.Frame), size, maxMessage)
	}
	raw := make([]byte, size)
	if _, err := io.ReadFull(u.zstd, raw); err != nil {
		return nil, fmt.Errorf("unpack a frame of %d bytes: %w", size, cutShort(err))
	}
	if u.in.Len() > 0 {
		return nil, fmt.Errorf("unpack a frame of %d bytes: %d packed bytes are left over", size, u.in.Len())
	}
	frame := &linkpb.Frame{}
	if err := proto.Unmarshal(raw, frame); err != nil {
		return nil, fmt.Errorf("unpack a frame of %d bytes: %w", size, err)
	}
	if frame.GetPacked() != nil {
		return nil, errors.New("unpack a frame: it is packed twice")
	}
	return frame, nil
}

// cutShort names the end of the packed bytes in the middle of a frame.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// oneByOne reads single bytes.
type oneByOne struct{ io.Reader }

func (r oneByOne) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(r.Reader, b[:])
	return b[0], err
}
