//! The public entry: settings in, a judgement of each exchange out.

use crate::{
    class::Class,
    decode::{self, Buffer, Layer, Layers},
    detectors::{self, Detector},
    excerpt, field,
    hit::{Hit, Hits},
    leaf::{Field, Leaf, Where},
    place::Place,
    prefilter::{DETECTORS_MAX, Prefilter, Seen},
    request::Parts,
    score::{self, FINDINGS_MAX, Finding, Judgement, Weight},
    view::View,
};

/// How an [`Inspector`] judges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// From which score on an exchange is an attack. Default 10.
    pub threshold: u32,
    /// Classes that are not looked for. Default none.
    pub off: Vec<Class>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { threshold: 10, off: Vec::new() }
    }
}

/// The detectors with what finds their candidates. Made once, shared by all threads.
pub struct Inspector {
    detectors: Vec<&'static dyn Detector>,
    prefilter: Prefilter,
    threshold: u32,
}

/// A hit before it counts, for a caller that knows exceptions.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The class of attack.
    pub class: Class,
    /// The pattern recognised.
    pub rule: &'static str,
    /// Which part of the request.
    pub at: Where,
    /// The field's name as sent.
    pub name: &'a str,
    /// The place within that part: the name, or a JSON pointer (RFC 6901) into the body.
    pub place: &'a str,
}

/// Says whether a hit counts.
pub type Filter<'f> = &'f dyn Fn(&Candidate<'_>) -> bool;

impl Inspector {
    /// An inspector with all detectors that are not switched off.
    pub fn new(settings: &Settings) -> Self {
        let wanted = |it: &&dyn Detector| !settings.off.contains(&it.class());
        let detectors: Vec<_> = detectors::all().iter().copied().filter(wanted).take(DETECTORS_MAX).collect();
        Self { prefilter: Prefilter::new(&detectors), detectors, threshold: settings.threshold }
    }

    /// Judges a whole request. Nothing is allocated for heads in which nothing is found.
    pub fn request(&self, parts: &Parts<'_>) -> Judgement {
        let mut judging = self.judge(&|_| true);
        judging.parts(parts);
        judging.finish()
    }

    /// Begins to judge a request part by part; only hits that `filter` lets through count.
    pub fn judge<'i>(&'i self, filter: Filter<'i>) -> Judging<'i> {
        Judging {
            inspector: self,
            filter,
            findings: Vec::new(),
            weights: Vec::new(),
            leaves: 0,
            hits: 0,
            unread_body: None,
        }
    }

    /// The detectors of one class, as a set.
    pub(crate) fn of_class(&self, class: Class) -> DetectorSet {
        let bits = self.detectors.iter().enumerate().filter(|(_, it)| it.class() == class);
        DetectorSet(bits.fold(0, |set, (place, _)| set | 1 << place))
    }
}

/// Some of the detectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DetectorSet(u64);

impl DetectorSet {
    pub(crate) const ALL: Self = Self(u64::MAX);

    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// An exchange being judged.
pub struct Judging<'i> {
    pub(crate) inspector: &'i Inspector,
    filter: Filter<'i>,
    findings: Vec<Finding>,
    weights: Vec<Weight>,
    leaves: u32,
    /// Hits so far, those that do not count among them.
    pub(crate) hits: u32,
    pub(crate) unread_body: Option<&'static str>,
}

/// A value about to be looked at: where it stands and what is known of it.
#[derive(Clone, Copy)]
pub(crate) struct Spot<'a> {
    pub(crate) at: Where,
    pub(crate) name: &'a str,
    /// The name of the container.
    pub(crate) parent: &'a str,
    /// What the field is for, where the caller knows.
    pub(crate) declared: Option<Field>,
    pub(crate) place: Place<'a>,
    pub(crate) layers: Layers,
    pub(crate) only: DetectorSet,
}

impl<'a> Spot<'a> {
    /// A value of that name, looked at by all detectors.
    pub(crate) fn named(at: Where, name: &'a str) -> Self {
        Self {
            at,
            name,
            parent: "",
            declared: None,
            place: Place::Name(name),
            layers: Layers::default(),
            only: DetectorSet::ALL,
        }
    }
}

impl Judging<'_> {
    /// Looks at one value in all its readings.
    pub(crate) fn value(&mut self, spot: &Spot<'_>, value: &[u8]) {
        if let Some(seen) = self.first_look(spot.only, value) {
            self.readings(spot, value, seen);
        }
    }

    /// What was seen in a value, if that is worth more than a first look.
    #[inline]
    pub(crate) fn first_look(&self, only: DetectorSet, value: &[u8]) -> Option<Seen> {
        let seen = self.inspector.prefilter.look(value);
        (seen.detectors() & only.0 != 0 || decode::may_be_encoded(value, seen)).then_some(seen)
    }

    /// Looks at one value of which the first look said that it is worth it.
    pub(crate) fn readings(&mut self, spot: &Spot<'_>, value: &[u8], seen: Seen) {
        self.leaves += 1;
        self.inspect(spot, value, value, seen, spot.layers);
        if seen.has_bracket() {
            self.json_inside(spot, value, spot.layers);
        }
        let mut layers = spot.layers;
        let mut current = Buffer::new();
        let mut below = Buffer::new();
        let Some(layer) = decode::next(value, seen, layers, &mut current) else { return };
        layers = layers.with(layer);
        loop {
            let seen = self.inspector.prefilter.look(&current);
            self.inspect(spot, value, &current, seen, layers);
            if seen.has_bracket() {
                self.json_inside(spot, &current, layers);
            }
            let Some(layer) = decode::next(&current, seen, layers, &mut below) else { return };
            layers = layers.with(layer);
            std::mem::swap(&mut current, &mut below);
        }
    }

    /// Lets the detectors that have a literal in this reading look at it.
    fn inspect(&mut self, spot: &Spot<'_>, value: &[u8], text: &[u8], seen: Seen, layers: Layers) {
        let mut wanted = seen.detectors() & spot.only.0;
        if wanted == 0 {
            return;
        }
        let mut purpose = spot.declared.unwrap_or_else(|| field::of(spot.at, spot.name, spot.parent, value));
        if layers.iter().any(|layer| matches!(layer, Layer::Base64 | Layer::Base64Part | Layer::Hex)) {
            purpose = field::unpacked(purpose, text.len());
        }
        let mut lower = Buffer::from_slice(text);
        lower.make_ascii_lowercase();
        let view = View {
            text,
            lower: &lower,
            leaf: Leaf {
                at: spot.at,
                field: purpose,
                name: if spot.at == Where::Name { spot.parent } else { spot.name },
                value,
            },
            depth: layers.len() as u8,
        };
        let mut hits = Hits::new();
        while wanted != 0 {
            let place = wanted.trailing_zeros() as usize;
            wanted &= wanted - 1;
            if let Some(detector) = self.inspector.detectors.get(place) {
                detector.inspect(&view, &mut hits);
            }
        }
        for hit in &hits {
            self.hits = self.hits.saturating_add(1);
            self.keep(spot, &view, hit, layers);
        }
    }

    /// Counts a hit and keeps it as evidence.
    #[cold]
    fn keep(&mut self, spot: &Spot<'_>, view: &View<'_>, hit: &Hit, layers: Layers) {
        // Before the place is written out, which costs a walk through the body's tree.
        if self.weights.len() >= WEIGHTS_MAX && self.weights.iter().all(|it| it.score >= hit.score) {
            return;
        }
        let place = spot.place.text();
        let candidate =
            Candidate { class: hit.class, rule: hit.rule, at: spot.at, name: spot.name, place: &place };
        if !(self.filter)(&candidate) {
            return;
        }
        let leaf = self.leaves;
        let same = |it: &&mut Weight| it.leaf == leaf && it.class == hit.class && it.rule == hit.rule;
        if let Some(known) = self.weights.iter_mut().find(same) {
            // Seen in an earlier reading already.
            if known.score >= hit.score {
                return;
            }
            known.score = hit.score;
        } else {
            let weight = Weight {
                class: hit.class,
                rule: hit.rule,
                score: hit.score,
                leaf,
                is_free_text: field::is_free_text(view.leaf.field),
            };
            if !self.weigh(weight) {
                return;
            }
        }
        let bytes = view.text.get(hit.span.clone()).unwrap_or(view.text);
        self.findings.push(Finding {
            class: hit.class,
            rule: hit.rule,
            score: hit.score,
            at: spot.at,
            place,
            layers,
            excerpt: excerpt::of(bytes, spot.name, view.leaf.field),
            why: hit.why,
        });
    }

    /// Whether the hit counts: where there are many, the weakest makes room, so that a heap of marks in front of an
    /// attack hides nothing.
    fn weigh(&mut self, weight: Weight) -> bool {
        if self.weights.len() < WEIGHTS_MAX {
            self.weights.push(weight);
            return true;
        }
        match self.weights.iter_mut().min_by_key(|it| it.score) {
            Some(weakest) if weakest.score < weight.score => {
                *weakest = weight;
                true
            }
            _ => false,
        }
    }

    /// What is thought of all that was looked at.
    pub fn finish(self) -> Judgement {
        let score = score::total(&self.weights);
        let mut findings = self.findings;
        findings.sort_by_key(|it| std::cmp::Reverse(it.score));
        findings.truncate(FINDINGS_MAX);
        Judgement {
            score,
            is_attack: score >= self.inspector.threshold,
            findings,
            unread_body: self.unread_body,
        }
    }
}

/// Hits that count in one exchange.
const WEIGHTS_MAX: usize = 64;
