// SPDX-License-Identifier: Apache-2.0
//! Root fields that list and read objects, as a table: field, and the OpenCTI type it speaks of.

/// A root field that lists objects.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListRoot {
    /// Name of the field.
    pub(super) field: &'static str,
    /// OpenCTI type, concrete or abstract.
    pub(super) of: &'static str,
    /// GraphQL type of the answer.
    pub(super) connection: &'static str,
}

/// A root field that reads one object by any of its ids.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadRoot {
    /// Name of the field.
    pub(super) field: &'static str,
    /// OpenCTI type, concrete or abstract, that the object must have.
    pub(super) of: &'static str,
}

const fn list(field: &'static str, of: &'static str, connection: &'static str) -> ListRoot {
    ListRoot {
        field,
        of,
        connection,
    }
}

const fn read(field: &'static str, of: &'static str) -> ReadRoot {
    ReadRoot { field, of }
}

/// All root fields that list entities.
pub(super) const LISTS: &[ListRoot] = &[
    list(
        "attackPatterns",
        "Attack-Pattern",
        "AttackPatternConnection",
    ),
    list("campaigns", "Campaign", "CampaignConnection"),
    list("caseIncidents", "Case-Incident", "CaseIncidentConnection"),
    list("caseRfis", "Case-Rfi", "CaseRfiConnection"),
    list("caseRfts", "Case-Rft", "CaseRftConnection"),
    list("channels", "Channel", "ChannelConnection"),
    list(
        "coursesOfAction",
        "Course-Of-Action",
        "CourseOfActionConnection",
    ),
    list(
        "dataComponents",
        "Data-Component",
        "DataComponentConnection",
    ),
    list("dataSources", "Data-Source", "DataSourceConnection"),
    list("events", "Event", "EventConnection"),
    list(
        "externalReferences",
        "External-Reference",
        "ExternalReferenceConnection",
    ),
    list("feedbacks", "Feedback", "FeedbackConnection"),
    list("groupings", "Grouping", "GroupingConnection"),
    list("identities", "Identity", "IdentityConnection"),
    list("incidents", "Incident", "IncidentConnection"),
    list("indicators", "Indicator", "IndicatorConnection"),
    list(
        "infrastructures",
        "Infrastructure",
        "InfrastructureConnection",
    ),
    list("intrusionSets", "Intrusion-Set", "IntrusionSetConnection"),
    list(
        "killChainPhases",
        "Kill-Chain-Phase",
        "KillChainPhaseConnection",
    ),
    list("labels", "Label", "LabelConnection"),
    list("languages", "Language", "LanguageConnection"),
    list("locations", "Location", "LocationConnection"),
    list(
        "malwareAnalyses",
        "Malware-Analysis",
        "MalwareAnalysisConnection",
    ),
    list("malwares", "Malware", "MalwareConnection"),
    list(
        "markingDefinitions",
        "Marking-Definition",
        "MarkingDefinitionConnection",
    ),
    list("narratives", "Narrative", "NarrativeConnection"),
    list("notes", "Note", "NoteConnection"),
    list("observedDatas", "Observed-Data", "ObservedDataConnection"),
    list("opinions", "Opinion", "OpinionConnection"),
    list("reports", "Report", "ReportConnection"),
    list(
        "securityCoverages",
        "Security-Coverage",
        "SecurityCoverageConnection",
    ),
    list(
        "stixCoreObjects",
        "Stix-Core-Object",
        "StixCoreObjectConnection",
    ),
    list(
        "stixCyberObservables",
        "Stix-Cyber-Observable",
        "StixCyberObservableConnection",
    ),
    list(
        "stixDomainObjects",
        "Stix-Domain-Object",
        "StixDomainObjectConnection",
    ),
    list("tasks", "Task", "TaskConnection"),
    list("threatActors", "Threat-Actor", "ThreatActorConnection"),
    list(
        "threatActorsGroup",
        "Threat-Actor-Group",
        "ThreatActorGroupConnection",
    ),
    list(
        "threatActorsIndividuals",
        "Threat-Actor-Individual",
        "ThreatActorIndividualConnection",
    ),
    list("tools", "Tool", "ToolConnection"),
    list("vocabularies", "Vocabulary", "VocabularyConnection"),
    list(
        "vulnerabilities",
        "Vulnerability",
        "VulnerabilityConnection",
    ),
];

/// All root fields that read one entity.
pub(super) const READS: &[ReadRoot] = &[
    read("attackPattern", "Attack-Pattern"),
    read("campaign", "Campaign"),
    read("caseIncident", "Case-Incident"),
    read("caseRfi", "Case-Rfi"),
    read("caseRft", "Case-Rft"),
    read("channel", "Channel"),
    read("courseOfAction", "Course-Of-Action"),
    read("dataComponent", "Data-Component"),
    read("dataSource", "Data-Source"),
    read("event", "Event"),
    read("externalReference", "External-Reference"),
    read("feedback", "Feedback"),
    read("grouping", "Grouping"),
    read("identity", "Identity"),
    read("incident", "Incident"),
    read("indicator", "Indicator"),
    read("infrastructure", "Infrastructure"),
    read("intrusionSet", "Intrusion-Set"),
    read("killChainPhase", "Kill-Chain-Phase"),
    read("label", "Label"),
    read("language", "Language"),
    read("location", "Location"),
    read("malware", "Malware"),
    read("malwareAnalysis", "Malware-Analysis"),
    read("markingDefinition", "Marking-Definition"),
    read("narrative", "Narrative"),
    read("note", "Note"),
    read("observedData", "Observed-Data"),
    read("opinion", "Opinion"),
    read("report", "Report"),
    read("securityCoverage", "Security-Coverage"),
    read("stixCoreObject", "Stix-Core-Object"),
    read("stixCyberObservable", "Stix-Cyber-Observable"),
    read("stixDomainObject", "Stix-Domain-Object"),
    read("task", "Task"),
    read("threatActor", "Threat-Actor"),
    read("threatActorGroup", "Threat-Actor-Group"),
    read("threatActorIndividual", "Threat-Actor-Individual"),
    read("tool", "Tool"),
    read("vocabulary", "Vocabulary"),
    read("vulnerability", "Vulnerability"),
];

/// Root fields that ask whether a container holds an object.
pub(super) const CONTAINS: &[ReadRoot] = &[
    read(
        "caseIncidentContainsStixObjectOrStixRelationship",
        "Case-Incident",
    ),
    read("caseRfiContainsStixObjectOrStixRelationship", "Case-Rfi"),
    read("caseRftContainsStixObjectOrStixRelationship", "Case-Rft"),
    read("feedbackContainsStixObjectOrStixRelationship", "Feedback"),
    read("groupingContainsStixObjectOrStixRelationship", "Grouping"),
    read("noteContainsStixObjectOrStixRelationship", "Note"),
    read(
        "observedDataContainsStixObjectOrStixRelationship",
        "Observed-Data",
    ),
    read("opinionContainsStixObjectOrStixRelationship", "Opinion"),
    read("reportContainsStixObjectOrStixRelationship", "Report"),
    read("taskContainsStixObjectOrStixRelationship", "Task"),
];
