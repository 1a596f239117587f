package tiers

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/tiers/linkpb"
)

func itemsFrame(first uint64, items [][]byte, hash []byte) *linkpb.Frame {
	return &linkpb.Frame{Content: &linkpb.Frame_Items{Items: &linkpb.Items{First: first, Items: items, Hash: hash}}}
}

// line of frames: both ends of one direction.
type packed struct {
	*packer
	*unpacker
}

func newPacked(t interface{ Fatal(...any) }) packed {
	p, err := newPacker()
	if err != nil {
		t.Fatal(err)
	}
	u, err := newUnpacker()
	if err != nil {
		t.Fatal(err)
	}
	return packed{p, u}
}

func (p packed) close() {
	p.packer.close()
	p.unpacker.close()
}

// Whatever frames follow each other, small ones among them, each comes out as it went in as soon as it was sent.
func TestFramesComeOutAsTheyWentIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := newPacked(t)
		defer line.close()
		words := rapid.SampledFrom([]string{"", "工单", strings.Repeat("税务系统无法打印", 40), strings.Repeat("x", 150_000)})
		noise := rapid.SliceOfN(rapid.Byte(), 0, 300)
		for range rapid.IntRange(1, 20).Draw(t, "frames") {
			item := append([]byte(words.Draw(t, "words")), noise.Draw(t, "noise")...)
			frame := itemsFrame(rapid.Uint64().Draw(t, "first"), [][]byte{item, item}, noise.Draw(t, "hash"))
			sent, err := line.pack(frame)
			if err != nil {
				t.Fatal(err)
			}
			got := sent
			if sent.GetPacked() != nil {
				if got, err = line.unpack(sent.GetPacked()); err != nil {
					t.Fatal(err)
				}
			}
			if !proto.Equal(got, frame) {
				t.Fatalf("%d bytes went in, %d others came out", proto.Size(frame), proto.Size(got))
			}
		}
	})
}

// A frame that looks like an earlier one costs a fraction of it: the window lives as long as the stream.
func TestRepeatedWordsCostLittle(t *testing.T) {
	line := newPacked(t)
	defer line.close()
	random := rand.New(rand.NewPCG(1, 2))
	words := make([]byte, 1000)
	for i := range words {
		words[i] = byte(random.Uint32())
	}
	var sizes []int
	for first := range 2 {
		sent, err := line.pack(itemsFrame(uint64(first+1), [][]byte{words}, nil))
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(sent.GetPacked().GetFrame()))
	}
	if sizes[0] < len(words) || sizes[1] > len(words)/10 {
		t.Errorf("the same %d bytes cost %d and then %d, want the second time a tenth of them at most", len(words), sizes[0], sizes[1])
	}
}

// compressed is the beginning of a zstd stream of any bytes.
func compressed(t testing.TB, window int, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = z.Write(content); err == nil {
		err = z.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(out.Bytes())
}

func TestBadPackingEndsTheStream(t *testing.T) {
	frame, err := proto.Marshal(itemsFrame(1, [][]byte{bytes.Repeat([]byte("工单"), 100)}, nil))
	if err != nil {
		t.Fatal(err)
	}
	sized := func(size int, content []byte) []byte {
		return append(binary.AppendUvarint(nil, uint64(size)), content...)
	}
	twice, err := proto.Marshal(&linkpb.Frame{Content: &linkpb.Frame_Packed{Packed: &linkpb.Packed{Frame: frame}}})
	if err != nil {
		t.Fatal(err)
	}
	whole := compressed(t, packWindow, sized(len(frame), frame))
	for _, tt := range []struct {
		name   string
		packed []byte
		reason string
	}{
		{"a bomb", compressed(t, packWindow, sized(1<<30, make([]byte, 8<<20))), "stand for 1073741824, and a frame has at most"},
		{"a large window", compressed(t, 8<<20, sized(len(frame), append(frame, make([]byte, 16<<20)...))), "window size exceeded"},
		{"more than one frame", append(whole, whole...), "left over"},
		{"half a frame", whole[:len(whole)/2], "unexpected EOF"},
		{"a frame that is shorter than it says", compressed(t, packWindow, sized(len(frame)+1, frame)), "unexpected EOF"},
		{"nothing", nil, "unexpected EOF"},
		{"what is not zstd", []byte("工单工单工单"), "unpack a frame"},
		{"what is not a frame", compressed(t, packWindow, sized(5, []byte("\xff\xff\xff\xff\xff"))), "unpack a frame of 5 bytes"},
		{"a frame that is packed twice", compressed(t, packWindow, sized(len(twice), twice)), "packed twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			line := newPacked(t)
			defer line.close()
			_, err := line.unpack(&linkpb.Packed{Frame: tt.packed})
			if err == nil || !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("unpacking %s: %v, want an error that says %q", tt.name, err, tt.reason)
			}
		})
	}
}

func FuzzUnpack(f *testing.F) {
	frame, err := proto.Marshal(itemsFrame(1, [][]byte{bytes.Repeat([]byte("工单"), 100)}, nil))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(compressed(f, packWindow, append(binary.AppendUvarint(nil, uint64(len(frame))), frame...)))
	f.Add(compressed(f, packWindow, binary.AppendUvarint(nil, 1<<40)))
	f.Add([]byte("工单"))
	f.Fuzz(func(t *testing.T, packed []byte) {
		line := newPacked(t)
		defer line.close()
		frame, err := line.unpack(&linkpb.Packed{Frame: packed})
		if (frame == nil) == (err == nil) {
			t.Errorf("unpacking gave the frame %v and the error %v, want one of them", frame, err)
		}
		if size := proto.Size(frame); size > maxMessage {
			t.Errorf("unpacking gave a frame of %d bytes, want at most %d", size, maxMessage)
		}
	})
}
