package policy

import (
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/tierdesk/tierdesk/desk/deskpb"
)

// Sections of a policy that Merge treats in a way of their own, by their names in a layer.
const (
	sectionCalendars = "calendars"
	sectionTargets   = "targets"
	sectionDispatch  = "dispatch"
	sectionLadders   = "ladders"
	sectionLocked    = "locked"
	sectionEdition   = "edition"
)

// sharedLayers is how many layers all sites of a path have: the built-in policy and the top site's.
const sharedLayers = 2

// Merge puts layers together: the built-in policy first, then the top site's, then those of the sites down to the one whose
// policy it is. A nil layer says nothing. Of a list, an entry takes the place of the one with the same name above it, and one
// with removed set takes that away. New entries of a list of which the first fit counts go before those above, in their own
// order, others behind them. Anything else that is set takes the place of what is above. A section that a layer locks stays as
// it is in that layer.
//
// A calendar that says nothing but dates adds them to the one above. Calendars that the first two layers name are not changed
// by any other, since every site of a ticket's path counts them.
//
// The result shares its entries with the layers; none of them may be changed any more.
func Merge(layers ...*deskpb.Policy) *deskpb.Policy {
	merged := &deskpb.Policy{}
	var shared []string
	for depth, layer := range layers {
		locked := merged.GetLocked()
		if depth == sharedLayers {
			shared = namesOf(merged.GetCalendars())
		}
		for _, field := range fieldsOf(layer) {
			name := string(field.Name())
			switch {
			case slices.Contains(locked, name):
			case name == sectionLocked:
				merged.Locked = append(slices.Clip(merged.GetLocked()), missing(locked, layer.GetLocked())...)
			case name == sectionEdition:
				merged.Edition = max(merged.GetEdition(), layer.GetEdition())
			case name == sectionCalendars:
				merged.Calendars = mergeCalendars(merged.GetCalendars(), layer.GetCalendars(), shared)
			default:
				mergeField(merged.ProtoReflect(), layer.ProtoReflect(), field)
			}
		}
	}
	return merged
}

// fieldsOf lists the fields that a layer sets, in the order of the schema.
func fieldsOf(layer *deskpb.Policy) []protoreflect.FieldDescriptor {
	var set []protoreflect.FieldDescriptor
	fields := layer.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if layer.ProtoReflect().Has(fields.Get(i)) {
			set = append(set, fields.Get(i))
		}
	}
	return set
}

// missing returns those names that are not known yet.
func missing(known, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(known, name) })
}

func mergeField(merged, layer protoreflect.Message, field protoreflect.FieldDescriptor) {
	if !field.IsList() {
		merged.Set(field, layer.Get(field))
		return
	}
	firstFit := slices.Contains([]string{sectionTargets, sectionDispatch, sectionLadders}, string(field.Name()))
	list := merged.NewField(field)
	for _, entry := range mergeEntries(entriesOf(merged, field), entriesOf(layer, field), firstFit) {
		list.List().Append(protoreflect.ValueOfMessage(entry))
	}
	merged.Set(field, list)
}

func entriesOf(m protoreflect.Message, field protoreflect.FieldDescriptor) []protoreflect.Message {
	list := m.Get(field).List()
	entries := make([]protoreflect.Message, list.Len())
	for i := range entries {
		entries[i] = list.Get(i).Message()
	}
	return entries
}

// mergeEntries lays the entries of a layer over those above it. firstFit puts the new ones before them.
func mergeEntries(above, own []protoreflect.Message, firstFit bool) []protoreflect.Message {
	merged := slices.Clone(above)
	var added []protoreflect.Message
	for _, entry := range own {
		same := func(other protoreflect.Message) bool { return Key(other.Interface()) == Key(entry.Interface()) }
		switch i := slices.IndexFunc(merged, same); {
		case removed(entry):
			merged = slices.DeleteFunc(merged, same)
		case i >= 0:
			merged[i] = entry
		default:
			added = append(added, entry)
		}
	}
	if firstFit {
		return append(added, merged...)
	}
	return append(merged, added...)
}

// Key is what tells an entry of a list from the others: its name, the level of a fault level.
func Key(entry proto.Message) string {
	switch entry := entry.(type) {
	case *deskpb.FaultLevel:
		return string('0' + rune(entry.GetLevel()))
	case named:
		return entry.GetName()
	}
	return ""
}

func removed(entry protoreflect.Message) bool {
	field := entry.Descriptor().Fields().ByName("removed")
	return field != nil && entry.Get(field).Bool()
}
