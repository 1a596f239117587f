package node

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// maker makes messages that no sane program sends, and sane ones between them so that calls come past the first check.
type maker struct {
	random *rand.Rand
	known  memory
	// worked are requests that did what was asked, by method, from which others are made.
	worked map[string][]protoreflect.Message
	drawn  int // request ids, so that each is another
}

func newMaker(seed uint64) *maker {
	return &maker{random: rand.New(rand.NewPCG(seed, seed)), known: memory{}, worked: make(map[string][]protoreflect.Message)}
}

// memory keeps strings that answers held, by the field's name, so that later calls name what is there.
type memory map[string][]string

const (
	// remembered bounds the strings of one field's name.
	remembered = 32
	// deepest bounds messages in messages.
	deepest = 5
)

// learn remembers the strings of an answer. The name of who keeps the site in order is not learned, so that no call is about them.
func (m *maker) learn(answer protoreflect.Message) {
	answer.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap():
		case field.IsList():
			for i := range min(value.List().Len(), remembered) {
				m.learnValue(field, value.List().Get(i))
			}
		default:
			m.learnValue(field, value)
		}
		return true
	})
}

func (m *maker) learnValue(field protoreflect.FieldDescriptor, value protoreflect.Value) {
	const longest = 300
	switch field.Kind() {
	case protoreflect.MessageKind:
		m.learn(value.Message())
	case protoreflect.StringKind:
		text := value.String()
		if text == "" || len(text) > longest || text == keeper {
			return
		}
		name := string(field.Name())
		if kept := m.known[name]; len(kept) >= remembered {
			kept[m.random.IntN(remembered)] = text
			return
		}
		m.known[name] = append(m.known[name], text)
	}
}

// request makes a request of a method: a new one, or one that worked with a field of it changed.
func (m *maker) request(to entrance, sober bool) protoreflect.Message {
	worked := m.worked[to.name]
	if len(worked) == 0 || m.random.IntN(3) == 0 {
		return m.message(to.method.Input(), sober, 0)
	}
	made := proto.Clone(pick(m.random, worked).Interface()).ProtoReflect()
	m.vary(made, sober, 0)
	if field := made.Descriptor().Fields().ByName("request_id"); field != nil {
		made.Set(field, protoreflect.ValueOfString(m.text("request_id", true)))
	}
	return made
}

// vary changes one field, of the message or of one inside it.
func (m *maker) vary(made protoreflect.Message, sober bool, depth int) {
	fields := made.Descriptor().Fields()
	if fields.Len() == 0 {
		return
	}
	field := fields.Get(m.random.IntN(fields.Len()))
	single := field.Cardinality() != protoreflect.Repeated
	switch {
	case single && field.Message() != nil && made.Has(field) && m.random.IntN(4) > 0:
		m.vary(made.Mutable(field).Message(), sober, depth+1)
	case single:
		made.Set(field, m.value(field, sober, depth))
	default:
		made.Clear(field)
	}
}

// keep remembers a request that did what was asked.
func (m *maker) keep(to entrance, sent protoreflect.Message) {
	const kept = 8
	if worked := m.worked[to.name]; len(worked) >= kept {
		worked[m.random.IntN(kept)] = sent
		return
	}
	m.worked[to.name] = append(m.worked[to.name], sent)
}

// message makes a message of a kind. A sober one has values that might be meant.
func (m *maker) message(kind protoreflect.MessageDescriptor, sober bool, depth int) protoreflect.Message {
	made := newMessage(kind)
	fields := kind.Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if m.random.IntN(10) < 4 && !(sober && needed[field.Name()]) {
			continue
		}
		if field.Message() != nil && !field.IsMap() && depth >= deepest {
			continue
		}
		switch {
		case field.IsMap():
		case field.IsList():
			list := made.Mutable(field).List()
			for range m.length(sober) {
				list.Append(m.value(field, sober, depth))
			}
		default:
			made.Set(field, m.value(field, sober, depth))
		}
	}
	return made
}

// newMessage is an empty message of the program's own type.
func newMessage(kind protoreflect.MessageDescriptor) protoreflect.Message {
	found, err := protoregistry.GlobalTypes.FindMessageByName(kind.FullName())
	if err != nil {
		panic("the message " + string(kind.FullName()) + " is not generated: " + err.Error())
	}
	return found.New()
}

// length of a list: a few, seldom very many.
func (m *maker) length(sober bool) int {
	if !sober && m.random.IntN(50) == 0 {
		return 2000
	}
	return m.random.IntN(4)
}

func (m *maker) value(field protoreflect.FieldDescriptor, sober bool, depth int) protoreflect.Value {
	switch field.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(m.random.IntN(2) == 0)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(m.enum(field.Enum(), sober))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(m.text(string(field.Name()), sober))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(m.text(string(field.Name()), sober)))
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return protoreflect.ValueOfMessage(m.message(field.Message(), sober, depth+1))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(float32(m.real()))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(m.real())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return protoreflect.ValueOfInt32(int32(m.whole(sober)))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(uint32(m.whole(sober)))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(uint64(m.whole(sober)))
	default:
		return protoreflect.ValueOfInt64(m.whole(sober))
	}
}

func (m *maker) enum(kind protoreflect.EnumDescriptor, sober bool) protoreflect.EnumNumber {
	if sober || m.random.IntN(3) > 0 {
		return kind.Values().Get(m.random.IntN(kind.Values().Len())).Number()
	}
	return pick(m.random, []protoreflect.EnumNumber{-1, 99, math.MaxInt32, math.MinInt32})
}

func (m *maker) whole(sober bool) int64 {
	if sober {
		return int64(m.random.IntN(6))
	}
	return pick(m.random, []int64{0, 1, -1, 2, 500, 501, 1 << 31, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64, 253402300800,
		-62135596801, 999999999, 1000000000, 315576000001, m.random.Int64()})
}

func (m *maker) real() float64 {
	return pick(m.random, []float64{0, -1, 1e308, math.Inf(1), math.NaN(), math.SmallestNonzeroFloat64})
}

// text is a string for a field: often one that an answer held under the same name.
func (m *maker) text(name string, sober bool) string {
	switch chance := m.random.IntN(10); {
	case sober && name == "request_id":
		m.drawn++
		return fmt.Sprintf("drawn-%d", m.drawn)
	case sober && chance < 8 && narrowing[name]:
		return ""
	case chance < 5 && len(m.known[name]) > 0:
		return pick(m.random, m.known[name])
	case chance < 6 && len(m.known["number"]) > 0:
		return pick(m.random, m.known["number"])
	case chance < 8 || sober:
		return pick(m.random, plausible)
	default:
		return pick(m.random, odd)
	}
}

// needed are fields that calls of most methods lead nowhere without.
var needed = map[protoreflect.Name]bool{"number": true, "name": true, "user": true, "id": true, "title": true, "text": true, "reason": true,
	"ticket": true, "requester": true, "password": true, "attachment": true}

// narrowing are fields by which a call is refused, or finds nothing, unless they fit exactly.
var narrowing = map[string]bool{"etag": true, "consistency": true, "page_token": true, "filter": true, "order_by": true, "sha256": true}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

// plausible are strings that calls could mean.
var plausible = []string{"", "打印机卡纸", "x", "admin", "一线", "网络组", "330000", "330106", "tickets:read", "read", "stale", "state=NEW",
	"state=NEW AND priority<=2", "createTime desc", "title,priority", "impact", "n1", "correct horse", "another horse", "123456", "13800001234",
	"wang@example.cn", "policy: {}", "time >= \"2026-01-01T00:00:00Z\"", "actor=admin", "330000-20261121-0001", "PORTAL", "role,scope"}

// odd are strings that no call should mean.
var odd = []string{" ", "\x00", "\n\r\t", "\u202egnp.exe", "\ufeff", "e\u0301\u0301\u0301\u0301", "👩‍👩‍👧‍👦", "\U0010ffff", "\u0000\u0001", "../../etc/passwd",
	"'; DROP TABLE tickets; --", "%00%zz%", "<script>alert(1)</script>", "{{.}}", "${jndi:ldap://x}", "-1", "NaN", "1e999", "null", "*", "(((((((((((((((((((",
	"state=" + strings.Repeat("(", 3000), "330000-99999999-9999", "330000-20261121-18446744073709551616", strings.Repeat("长", 70000),
	strings.Repeat("a AND ", 5000), strings.Repeat("{\"a\":", 9000), strings.Repeat("a: [", 9000), "&a [*a,*a]", "!!binary xx", "ıİſK", "ﷺ﷽", "a\u200db", "Bearer x"}

// damaged is content with some of its bytes changed, cut off or doubled.
func (m *maker) damaged(content []byte) []byte {
	content = append([]byte(nil), content...)
	switch m.random.IntN(4) {
	case 0:
		for range 1 + m.random.IntN(4) {
			content[m.random.IntN(len(content))] = byte(m.random.Uint32())
		}
	case 1:
		content = content[:m.random.IntN(len(content))]
	case 2:
		content = append(content, content...)
	}
	return content
}
