package policyfile

import (
	"os"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"pgregory.net/rapid"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// anyText draws texts that YAML might take for something else.
func anyText() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{
			"操作事件", "true", "null", "~", "07", "1e3", "08:30", "2026-01-01", "a: b", "- a", "# a", "'a'", "\"", "{a}", "[a", "*a", "&a", "!a", "%a", "@a",
			" a", "a ", "a\nb", "\na", "a\n", "\ta", "yes", "NaN", "0x1f", "=", "<<", "\u2028", "\ufeffa", "a\u0085b", "|", ">", "?", "a #b", "\r",
		}),
		rapid.StringN(1, 12, -1))
}

// anyMessage fills the fields that people write with whatever their form holds.
func anyMessage(t *rapid.T, m protoreflect.Message) {
	for _, key := range keysOf(m.Descriptor()) {
		field := key.field
		if key.name == "shifts" && m.Descriptor().Name() == "Calendar" || !rapid.Bool().Draw(t, key.name) {
			continue
		}
		switch {
		case field.IsMap():
			for range rapid.IntRange(1, 2).Draw(t, "size") {
				m.Mutable(field).Map().Set(protoreflect.ValueOfString(anyText().Draw(t, "key")).MapKey(), anyValue(t, field.MapValue()))
			}
		case field.IsList():
			for range rapid.IntRange(1, 2).Draw(t, "size") {
				if field.Message() == nil {
					m.Mutable(field).List().Append(anyValue(t, field))
					continue
				}
				anyMessage(t, m.Mutable(field).List().AppendMutable().Message())
			}
		case field.Message() != nil:
			anyMessage(t, m.Mutable(field).Message())
		default:
			m.Set(field, anyValue(t, field))
		}
	}
	settle(t, m)
}

// settle makes a message one that a file can say: a matrix has whole rows, and the offsets of a time zone are known.
func settle(t *rapid.T, m protoreflect.Message) {
	switch m := m.Interface().(type) {
	case *deskpb.PriorityMatrix:
		m.Priorities = rapid.SliceOfN(rapid.Int32(), 9, 9).Draw(t, "matrix")
	case *deskpb.Calendar:
		if m.GetTimeZone() == "" {
			return
		}
		m.TimeZone = rapid.SampledFrom([]string{"Asia/Shanghai", "Europe/Berlin", "UTC", "America/St_Johns"}).Draw(t, "zone")
		shifts, err := zoneShifts(m.GetTimeZone())
		if err != nil {
			t.Fatal(err)
		}
		m.Shifts = shifts
	}
}

func anyValue(t *rapid.T, field protoreflect.FieldDescriptor) protoreflect.Value {
	switch formOf(field) {
	case duration, hours:
		return protoreflect.ValueOfInt64(rapid.Int64Range(1, 400*86400).Draw(t, "seconds"))
	case clock:
		return protoreflect.ValueOfInt32(rapid.Int32Range(1, 24*60).Draw(t, "minutes"))
	case date:
		return protoreflect.ValueOfInt32(rapid.SampledFrom([]int32{2024_02_29, 2026_11_22, 1999_12_31}).Draw(t, "date"))
	case weekday:
		return protoreflect.ValueOfInt32(rapid.Int32Range(1, 7).Draw(t, "weekday"))
	case upper:
		return protoreflect.ValueOfString(rapid.SampledFrom([]string{"COUNTY", "CITY"}).Draw(t, "tier"))
	}
	if field.FullName() == schema+"Segment.from" || field.FullName() == schema+"Segment.to" {
		return protoreflect.ValueOfInt32(rapid.Int32Range(1, 24*60).Draw(t, "minutes"))
	}
	switch field.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(anyText().Draw(t, "text"))
	case protoreflect.EnumKind:
		values := field.Enum().Values()
		return protoreflect.ValueOfEnum(values.Get(rapid.IntRange(1, values.Len()-1).Draw(t, "enum")).Number())
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(rapid.Int64().Draw(t, "number"))
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(rapid.Uint32().Draw(t, "number"))
	}
	return protoreflect.ValueOfInt32(rapid.Int32().Draw(t, "number"))
}

// What is written is read as it was, whatever the texts look like, unless it is too long for a file.
func TestWhatIsWrittenIsReadAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := &deskpb.Policy{}
		anyMessage(t, want.ProtoReflect())
		text, err := Write(want)
		if err != nil {
			t.Fatal(err)
		}
		got, problems := Read(text)
		if len(text) > MaxSource {
			if len(problems) == 0 {
				t.Fatalf("a text of %d bytes is read, although %d are the most", len(text), MaxSource)
			}
			return
		}
		if len(problems) > 0 {
			t.Fatalf("the policy\n%v\nis written as\n%s\nwhich has the problems %v", want, text, problems)
		}
		if !proto.Equal(got, want) {
			t.Fatalf("the policy\n%v\nis written as\n%s\nand read as\n%v", want, text, got)
		}
	})
}

// FuzzRead feeds the reader with anything. What it takes is written in a form that it takes again, for the same.
func FuzzRead(f *testing.F) {
	whole, err := os.ReadFile(example)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	for _, seed := range []string{"", "a", "calendars: [{name: a, time_zone: UTC}]", "urging: {cool_down: 1d2h3m4s}", "priorities: [[1,2,3]]", "a: *b", "- !!binary aa", "? {}\n: {}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		layer, problems := Read(source)
		if len(problems) > 0 {
			return
		}
		text, err := Write(layer)
		if err != nil {
			t.Fatal(err)
		}
		again, problems := Read(text)
		if len(problems) > 0 || !proto.Equal(layer, again) {
			t.Errorf("%q is written as %q, which is read as %v with the problems %v", source, text, again, problems)
		}
	})
}

func TestDurations(t *testing.T) {
	for text, seconds := range map[string]int64{"90s": 90, "15m": 900, "1h30m": 5400, "2d": 172800, "1d12h": 129600, "0": 0, "36h": 129600} {
		if got, err := readDuration(text); got != seconds || err != nil {
			t.Errorf("%q is %d s, %v; want %d", text, got, err, seconds)
		}
	}
	for _, text := range []string{"", "1", "h", "1h1h", "1m1h", "-1h", "1.5h", "1 h", "99999999999h", "1h0"} {
		if got, err := readDuration(text); err == nil {
			t.Errorf("%q is taken for %d s", text, got)
		}
	}
	if got := []string{writeDuration(129600, true), writeDuration(129600, false)}; !slices.Equal(got, []string{"1d12h", "36h"}) {
		t.Errorf("a day and a half is written as %q", got)
	}
}

// The offsets of a zone with summer time change on the known days of 2026.
func TestShiftsOfATimeZone(t *testing.T) {
	shifts, err := zoneShifts("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	const spring, autumn = 1774746000, 1792890000 // 2026-03-29 and 2026-10-25, both at 01:00 UTC
	for from, offset := range map[int64]int32{0: 3600, spring: 7200, autumn: 3600} {
		if !slices.ContainsFunc(shifts, func(s *deskpb.ZoneShift) bool { return s.GetFrom() == from && s.GetOffset() == offset }) {
			t.Errorf("no shift to %d s at %d", offset, from)
		}
	}
	for _, name := range []string{"Local", "", "CST8", "../zoneinfo"} {
		if shifts, err := zoneShifts(name); err == nil && name != "" {
			t.Errorf("time zone %q has the shifts %v", name, shifts)
		}
	}
}
