"""One full, acceptable record of each type, and lines made of them."""

import base64
import json
from typing import Any

SALT = "AAAAAAAAAAAAAAAAAAAAAA"
ADDRESS = {
    "street": "Jl. Soekarno-Hatta",
    "number": "12",
    "rt": "003",
    "rw": "001",
    "kelurahan": "13.76.01.1021",
    "kecamatan": "13.76.01",
    "kelurahan_raw": "Ibuh",
    "postcode": "26221",
    "note": "dekat surau",
}
RECORDS: dict[str, dict[str, Any]] = {
    "person": {
        "nik": "1376014512800002",
        "nik_status": "valid_form",
        "no_kk": "1376010512100002",
        "name_source": "SITI AMINAH",
        "aliases": ["Mina"],
        "sex": "P",
        "birth_place": "Batu Sangkar",
        "birth_date": "1980-12-05",
        "birth_date_precision": "day",
        "mother_name": "ROSNA",
        "marital": "2",
        "family_relation": "3",
        "education": "5",
        "school": {"npsn": "10309001", "level": "SD", "still_attending": False},
        "occupation": "Mengurus rumah tangga",
        "disability": [{"kind": "FISIK", "since": "2010-01-01", "device_needed": "kursi roda"}],
        "chronic_illness": False,
        "pmks": ["24", "23"],
        "address_ktp": ADDRESS,
        "address_domicile": {"kelurahan": "13.76.02.1002", "kecamatan": "13.76.02"},
        "phone": "+6281234567890",
        "vital_status": "alive",
        "residency_status": "resident",
        "health_cover": {"kind": "PBI_APBD", "card_no": "0001", "as_of": "2025-10-01"},
    },
    "household": {
        "household_key": "1376010014",
        "basis": "ruta",
        "head_person": "p-1",
        "members": [{"person": "p-1", "relation": "1"}, {"person": "p-2", "relation_bps": "2"}],
        "member_count": 2,
        "address": ADDRESS,
        "dwelling": {"floor": "tanah", "floor_area_m2": 36, "power_va": 450},
        "assets": ["sepeda motor"],
        "monthly_income": 900_000,
        "food_share": 70,
        "geolocation": {"lat": "-0.22110", "lon": "100.63170"},
        "survey": {"date": "2025-05-02", "surveyor": "Petugas 4", "answers": {"q1": ["a", 2]}},
    },
    "listing": {
        "person": "p-1",
        "list_code": "DTSEN",
        "list_period": "2025-T1",
        "desil": 2,
        "welfare_status": "miskin",
        "listing_status": "active",
        "status_reason": "memenuhi_kriteria",
        "decided_by": "Kepala Dinas",
        "decided_at": "2025-02-01",
        "rule_set_version": "262/HUK/2022",
    },
    "program": {
        "program_code": "dinas-2025-01",
        "name": "Perlengkapan sekolah",
        "bidang": "PENDIDIKAN",
        "need_kinds": ["perlengkapan_sekolah"],
        "funder": "APBD_KOTA",
        "fiscal_year": 2025,
        "period_start": "2025-01-01",
        "period_end": "2025-12-31",
        "budget_total": 100_000_000,
        "unit": "siswa",
        "quota_total": 200,
        "amount_min": 400_000,
        "amount_max": 750_000,
        "frequency": "sekali",
        "form": "uang",
        "criteria": {"all": [{"field": "desil", "most": 4}]},
        "documents": ["KTP"],
        "complements": ["dinas-2025-02"],
        "needs_mayor_approval": False,
        "residency_rule": "KTP_CITY",
        "status": "open",
        "contact": "0752-000000",
    },
    "enrolment": {
        "person": "p-1",
        "program_code": "dinas-2025-01",
        "status": "active",
        "start": "2025-02-01",
        "end": "2025-12-31",
        "reason": "terpilih",
    },
    "benefit": {
        "enrolment": "e-1",
        "program_code": "dinas-2025-01",
        "period": "2025-S1",
        "date": "2025-04-04",
        "form": "uang",
        "amount_idr": 500_000,
        "evidence_no": "SP2D-77",
        "recipient": "SITI AMINAH",
    },
}


def head(**more: Any) -> dict[str, Any]:
    return {"_s": SALT, "_op": "put", "_id": "r-1", "_v": 2**32 + 1, **more}


def line(record_type: str, **more: Any) -> bytes:
    return dumps({**head(), **RECORDS[record_type], **more})


def dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def salt(n: int) -> str:
    return base64.urlsafe_b64encode(n.to_bytes(16, "big")).decode().rstrip("=")
