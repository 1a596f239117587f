package audit

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// hidden lists fields whose values no entry shows: it says that they changed. Those of requesters are hidden because an entry is
// never deleted and a person's number may have to be.
func hidden(field protoreflect.FieldDescriptor) bool {
	switch field.FullName() {
	case "tierdesk.desk.v1.User.password_hash", "tierdesk.desk.v1.User.totp_secret", "tierdesk.desk.v1.Site.survey_key",
		"tierdesk.desk.v1.Customer.phones", "tierdesk.desk.v1.Customer.email", "tierdesk.desk.v1.Customer.note":
		return true
	default:
		return false
	}
}

// silent lists fields that follow from others, that each change moves, or that concern nobody but the person.
func silent(field protoreflect.FieldDescriptor) bool {
	switch field.FullName() {
	case "tierdesk.desk.v1.User.version", "tierdesk.desk.v1.User.totp_step", "tierdesk.desk.v1.User.password_time",
		"tierdesk.desk.v1.User.offline_until", "tierdesk.desk.v1.User.preferences",
		"tierdesk.desk.v1.Customer.etag", "tierdesk.desk.v1.Customer.update_time",
		"tierdesk.desk.v1.Site.clock", "tierdesk.desk.v1.Site.event_sequence", "tierdesk.desk.v1.Site.past":
		return true
	default:
		return field.Kind() == protoreflect.BytesKind && !hidden(field)
	}
}

// Changes lists the fields in which two states of a record differ, in the order of the schema; those of a message inside it, and of
// the messages in a list, each under a path such as groups[net].members. before is nil for a record that is new, after for one that
// is gone. Secrets are told as changed.
func Changes(before, after protoreflect.ProtoMessage) []*deskpb.AuditChange {
	d := &difference{}
	d.messages("", reflected(before), reflected(after))
	return d.changes
}

// reflected is a message for reading, nil when there is none.
func reflected(m protoreflect.ProtoMessage) protoreflect.Message {
	if m == nil || !m.ProtoReflect().IsValid() {
		return nil
	}
	return m.ProtoReflect()
}

type difference struct{ changes []*deskpb.AuditChange }

// messages compares two messages of one kind; nil is one without any field.
func (d *difference) messages(path string, before, after protoreflect.Message) {
	known := cmp.Or(before, after)
	if known == nil {
		return
	}
	fields := known.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		old, now := valueOf(before, field), valueOf(after, field)
		if silent(field) || !old.IsValid() && !now.IsValid() || old.IsValid() && now.IsValid() && old.Equal(now) {
			continue
		}
		name := path + string(field.Name())
		switch {
		case hidden(field):
			d.add(name, concealed(old, "set"), concealed(now, "changed"))
		case field.IsMap():
			d.add(name, "", "changed")
		case field.IsList() && field.Message() != nil:
			d.lists(name, old, now)
		case field.Message() != nil && !plain(field.Message()):
			d.messages(name+".", messageOf(old), messageOf(now))
		default:
			d.add(name, text(field, old), text(field, now))
		}
	}
}

// valueOf is a field's value, invalid where it is not set.
func valueOf(m protoreflect.Message, field protoreflect.FieldDescriptor) protoreflect.Value {
	if m == nil || !m.Has(field) {
		return protoreflect.Value{}
	}
	return m.Get(field)
}

func messageOf(v protoreflect.Value) protoreflect.Message {
	if !v.IsValid() {
		return nil
	}
	return v.Message()
}

// lists compares lists of messages by the names of their entries, in the order of the list after and then of the list before.
func (d *difference) lists(path string, before, after protoreflect.Value) {
	old, now := entriesOf(before), entriesOf(after)
	for _, e := range now {
		var was protoreflect.Message
		if i := slices.IndexFunc(old, func(o entry) bool { return o.name == e.name }); i >= 0 {
			was = old[i].message
		}
		d.messages(path+"["+e.name+"].", was, e.message)
	}
	for _, o := range old {
		if !slices.ContainsFunc(now, func(e entry) bool { return e.name == o.name }) {
			d.messages(path+"["+o.name+"].", o.message, nil)
		}
	}
}

// entry is one message of a list, by its own name where it has one, otherwise by its place.
type entry struct {
	name    string
	message protoreflect.Message
}

func entriesOf(v protoreflect.Value) (entries []entry) {
	if !v.IsValid() {
		return nil
	}
	list, seen := v.List(), map[string]bool{}
	for i := range list.Len() {
		m := list.Get(i).Message()
		name := strconv.Itoa(i)
		if field := m.Descriptor().Fields().ByName("name"); field != nil && field.Kind() == protoreflect.StringKind && m.Get(field).String() != "" {
			name = m.Get(field).String()
		}
		if seen[name] {
			name += "#" + strconv.Itoa(i)
		}
		seen[name] = true
		entries = append(entries, entry{name, m})
	}
	return entries
}

func (d *difference) add(field, before, after string) {
	d.changes = append(d.changes, &deskpb.AuditChange{Field: field, Before: before, After: after})
}

// concealed tells of a value only that there is one.
func concealed(v protoreflect.Value, word string) string {
	if !v.IsValid() {
		return ""
	}
	return word
}

// plain tells whether a message is told as one value.
func plain(m protoreflect.MessageDescriptor) bool {
	return m.FullName() == (&timestamppb.Timestamp{}).ProtoReflect().Descriptor().FullName()
}

// text tells a value; one that is not set is the empty text.
func text(field protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch {
	case !v.IsValid():
		return ""
	case field.IsList():
		list := v.List()
		values := make([]string, list.Len())
		for i := range values {
			values[i] = single(field, list.Get(i))
		}
		return strings.Join(values, ", ")
	}
	return single(field, v)
}

func single(field protoreflect.FieldDescriptor, v protoreflect.Value) string {
	switch field.Kind() {
	case protoreflect.EnumKind:
		if value := field.Enum().Values().ByNumber(v.Enum()); value != nil {
			return string(value.Name())
		}
		return strconv.Itoa(int(v.Enum()))
	case protoreflect.MessageKind:
		if at, ok := v.Message().Interface().(*timestamppb.Timestamp); ok {
			return at.AsTime().Format(time.RFC3339Nano)
		}
		return string(field.Message().Name())
	case protoreflect.Int64Kind:
		if name := string(field.Name()); strings.HasSuffix(name, "time") || strings.HasSuffix(name, "until") {
			return time.UnixMicro(v.Int()).UTC().Format(time.RFC3339)
		}
		return strconv.FormatInt(v.Int(), 10)
	case protoreflect.Fixed64Kind:
		return fmt.Sprintf("%016x", v.Uint())
	case protoreflect.BytesKind:
		return hex.EncodeToString(v.Bytes())
	default:
		return fmt.Sprint(v.Interface())
	}
}
